// Opens the browser's own print of a whole document that the page has made, in a frame that nobody sees.
export default function ({ data, parentElement }) {
  const button = parentElement.querySelector('button');
  button.textContent = data.label;
  button.onclick = () => {
    document.querySelector('#lectern-print')?.remove();
    const frame = document.createElement('iframe');
    frame.id = 'lectern-print'; frame.title = data.label; frame.tabIndex = -1;
    frame.style.cssText = 'position:fixed;width:1px;height:1px;left:-9px;border:0';
    frame.srcdoc = data.html;
    frame.onload = () => frame.contentWindow.print();
    document.body.append(frame);
  };
}
