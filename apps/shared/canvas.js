// Strokes are drawn four times as fine as the grid that is sent; the mean of 4x4 is antialiased ink. The colour on
// the screen is the theme's, so ink is what is not transparent.
const FINE = 4, STEP = 17, MOST_UNDO = 20;
export default function ({ data, parentElement, setStateValue }) {
  const paper = parentElement.querySelector('.paper');
  const wide = data.width * FINE, high = data.height * FINE;
  const store = paper.lectern = paper.lectern || { version: null, undo: [] };
  if (paper.width !== wide || paper.height !== high) { paper.width = wide; paper.height = high; store.version = null; }
  paper.style.maxWidth = data.shown + 'px';
  paper.style.aspectRatio = data.width + ' / ' + data.height;
  paper.setAttribute('aria-label', data.label);
  for (const name of ['undo', 'clear']) parentElement.querySelector('.' + name).textContent = data[name];
  const pen = paper.getContext('2d', { willReadFrequently: true });

  const ink = () => {
    const fine = pen.getImageData(0, 0, wide, high).data;
    const sums = new Float64Array(data.width * data.height);
    for (let y = 0, at = 3; y < high; y++)
      for (let x = 0; x < wide; x++, at += 4)
        sums[Math.floor(y / FINE) * data.width + Math.floor(x / FINE)] += fine[at];
    let bytes = '';
    for (const sum of sums) bytes += String.fromCharCode(Math.round(sum / (FINE * FINE) / STEP) * STEP);
    return btoa(bytes);
  };
  const send = () => setStateValue('drawing', ink());
  const keep = () => {
    store.undo.push(pen.getImageData(0, 0, wide, high));
    if (store.undo.length > MOST_UNDO) store.undo.shift();
  };
  const load = (text) => {
    pen.clearRect(0, 0, wide, high);
    if (!text) return;
    const bytes = atob(text);
    const small = new ImageData(data.width, data.height);
    for (let at = 0; at < bytes.length; at++) small.data.set([...data.colour, bytes.charCodeAt(at)], 4 * at);
    const sheet = document.createElement('canvas');
    sheet.width = data.width; sheet.height = data.height;
    sheet.getContext('2d').putImageData(small, 0, 0);
    pen.imageSmoothingEnabled = false;
    pen.drawImage(sheet, 0, 0, wide, high);
  };
  const colour = `rgb(${data.colour.join(',')})`;
  if (store.colour && store.colour !== colour) {  // the theme has changed
    pen.globalCompositeOperation = 'source-in';
    pen.fillStyle = colour;
    pen.fillRect(0, 0, wide, high);
    pen.globalCompositeOperation = 'source-over';
  }
  store.colour = colour;
  if (store.version !== data.version) {
    store.version = data.version; store.undo = []; store.example = data.example; load(data.drawing);
  }
  const wipeExample = () => { if (store.example) { store.example = false; pen.clearRect(0, 0, wide, high); } };

  const place = (event) => {
    const frame = paper.getBoundingClientRect();
    return [(event.clientX - frame.left) * wide / frame.width, (event.clientY - frame.top) * high / frame.height];
  };
  const line = (from, to) => {
    pen.strokeStyle = colour;
    pen.lineWidth = data.pen * FINE;
    pen.lineCap = pen.lineJoin = 'round';
    pen.beginPath(); pen.moveTo(...from); pen.lineTo(...to); pen.stroke();
  };
  paper.onpointerdown = (event) => {
    if (!event.isPrimary || event.button > 0) return;
    event.preventDefault();
    paper.setPointerCapture(event.pointerId);
    wipeExample();
    keep();
    store.last = place(event);
    line(store.last, store.last);
  };
  paper.onpointermove = (event) => {
    if (!store.last || !event.isPrimary) return;
    for (const part of event.getCoalescedEvents?.() ?? [event]) {
      const now = place(part);
      line(store.last, now);
      store.last = now;
    }
  };
  paper.onpointerup = paper.onpointercancel = (event) => {
    if (!store.last || !event.isPrimary) return;
    store.last = null;
    send();
  };
  parentElement.querySelector('.clear').onclick = () => { wipeExample(); keep(); pen.clearRect(0, 0, wide, high); send(); };
  const undo = () => {
    const before = store.undo.pop();
    if (before) { pen.putImageData(before, 0, 0); send(); }
  };
  parentElement.querySelector('.undo').onclick = undo;
  paper.onkeydown = (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === 'z') { event.preventDefault(); undo(); }
  };
}
