export default function ({ data, parentElement, setTriggerValue }) {
  const find = (name) => parentElement.querySelector(name);
  const captions = parentElement.querySelectorAll('figcaption');
  const { image, kernel, output, before, stride, dilation, bias, relu, colours } = data;
  const said = (name, values) => data.texts[name].replace(/\{(\w+)\}/g, (place, key) => values[key]);
  for (const name of ['back', 'play', 'next', 'place']) find('.' + name).setAttribute('aria-label', data.texts[name]);
  const size = image.length, taps = kernel.length, wide = output.length, last = wide * wide - 1;
  const whole = size + 2 * before, scale = 10;
  // The page answers a rest with the same walk again: that must not stop what has gone on since.
  const walk = JSON.stringify([image, kernel, before, stride, dilation, bias, relu]);
  const same = parentElement.lecternWalk === walk;
  const playing = same && Boolean(parentElement.lectern);
  let at = same ? parentElement.lecternAt : Math.min(data.at, last);
  parentElement.lecternWalk = walk;
  const mix = (value, largest) => {
    const strength = largest > 0 ? Math.min(Math.abs(value) / largest, 1) : 0;
    return [value >= 0 ? colours.positive : colours.negative, strength];
  };
  const cell = (pen, x, y, value, largest) => {
    const [colour, strength] = mix(value, largest);
    pen.globalAlpha = strength; pen.fillStyle = colour;
    pen.fillRect(x * scale, y * scale, scale, scale); pen.globalAlpha = 1;
  };
  const ready = (canvas, side) => {
    canvas.width = canvas.height = side * scale;
    const pen = canvas.getContext('2d');
    pen.fillStyle = colours.ground; pen.fillRect(0, 0, side * scale, side * scale);
    return pen;
  };
  const short = (value) => String(Math.round(value * 100) / 100);
  const read = (r, c) => (r >= 0 && c >= 0 && r < size && c < size) ? image[r][c] : 0;
  const largest = Math.max(...output.flat().map(Math.abs), 1e-9);
  const draw = () => {
    const row = Math.floor(at / wide), column = at % wide;
    let pen = ready(find('.image'), whole);
    image.forEach((line, r) => line.forEach((value, c) => cell(pen, c + before, r + before, value, 1)));
    pen.strokeStyle = colours.peer; pen.lineWidth = 3;
    if (before) { pen.setLineDash([4, 4]); pen.strokeStyle = colours.muted; pen.lineWidth = 1;
      pen.strokeRect(before * scale, before * scale, size * scale, size * scale); pen.setLineDash([]); }
    pen.strokeStyle = colours.peer; pen.lineWidth = 3;
    const extent = (taps - 1) * dilation + 1;
    pen.strokeRect(column * stride * scale, row * stride * scale, extent * scale, extent * scale);
    const boxes = [];
    let sum = bias;
    kernel.forEach((line, k) => line.forEach((weight, l) => {
      const value = read(row * stride - before + k * dilation, column * stride - before + l * dilation);
      sum += weight * value;
      const box = document.createElement('div');
      const [colour, strength] = mix(weight * value, 1);
      box.style.background = `color-mix(in srgb, ${colour} ${Math.round(70 * strength)}%, transparent)`;
      box.textContent = `${short(weight)}·${short(value)}`;
      boxes.push(box);
    }));
    const grid = find('.products');
    grid.style.gridTemplateColumns = `repeat(${taps}, max-content)`;
    grid.replaceChildren(...boxes);
    pen = ready(find('.output'), wide);
    for (let n = 0; n <= at; n += 1)
      cell(pen, n % wide, Math.floor(n / wide), output[Math.floor(n / wide)][n % wide], largest);
    pen.strokeStyle = colours.peer; pen.lineWidth = 3;
    pen.strokeRect(column * scale, row * scale, scale, scale);
    captions[0].textContent = `${data.texts.input} ${size}×${size}` + (before ? said('zeros', { n: before }) : '');
    captions[1].textContent = said('sum', { bias: short(bias), sum: short(sum) })
      + (relu && sum < 0 ? ', ReLU: 0' : '');
    captions[2].textContent = `${data.texts.output}[${row}, ${column}] = ${short(output[row][column])}`;
    find('.image').setAttribute('aria-label', data.label);
    find('.output').setAttribute('aria-label', captions[2].textContent);
    find('.place').value = at;
    parentElement.lecternAt = at;
    find('output').textContent = said('of', { at: at + 1, all: last + 1 });
  };
  const tell = () => setTriggerValue('at', at);
  const play = find('.play');
  const stop = () => {
    const was = parentElement.lectern;
    clearInterval(was); parentElement.lectern = 0; play.textContent = data.texts.play;
    return Boolean(was);
  };
  const go = (next) => { stop(); at = Math.max(0, Math.min(last, next)); draw(); tell(); };
  let timer = 0;
  const start = () => {
    play.textContent = data.texts.pause;
    timer = parentElement.lectern = setInterval(() => {
      at += 1;
      if (at >= last) { at = last; stop(); tell(); }
      draw();
    }, 60);
  };
  play.onclick = () => {
    if (stop()) { tell(); return; }
    if (at === last) at = 0;
    start();
  };
  stop();
  if (playing) start();
  find('.back').onclick = () => go(at - 1);
  find('.next').onclick = () => go(at + 1);
  const slider = find('.place');
  slider.max = last;
  slider.oninput = () => { stop(); at = Number(slider.value); draw(); };
  slider.onchange = tell;
  draw();
  return () => clearInterval(timer);
}
