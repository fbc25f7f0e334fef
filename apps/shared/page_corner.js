// A corner at every picture of the page: it as SVG and PNG, its numbers as CSV, and the line that embeds its section.
// Pictures are drawn anew from what the browser shows: boxes, words, images and SVG, so one way serves all of them.
const PICTURES = '[data-testid=stPlotlyChart], [data-testid=stHtml]:has(img, table, [data-picture])';
const SVG = 'http://www.w3.org/2000/svg';
const SCALE = 2; // pixels of a PNG for one on the screen

const escape = (text) => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
const short = (value) => String(Math.round(value * 10) / 10);
const seen = (colour) => colour && colour !== 'transparent' && !/, 0\)$/.test(colour);
const place = (box, origin) =>
  `x="${short(box.left - origin.left)}" y="${short(box.top - origin.top)}" width="${short(box.width)}" height="${short(box.height)}"`;

function box(element, style, origin) {
  const frame = element.getBoundingClientRect();
  if (!frame.width || !frame.height) return '';
  const side = (name) => ['Width', 'Style', 'Color'].map((part) => style[`border${name}${part}`]);
  const sides = ['Top', 'Right', 'Bottom', 'Left'].map(side);
  const drawn = (one) => parseFloat(one[0]) > 0 && one[1] !== 'none' && seen(one[2]);
  const dashes = { dashed: ' stroke-dasharray="4 3"', dotted: ' stroke-dasharray="1.5 2"' };
  const stroke = (one) => `stroke="${one[2]}" stroke-width="${parseFloat(one[0])}"${dashes[one[1]] || ''}`;
  const same = sides.every((one) => String(one) === String(sides[0])) && drawn(sides[0]);
  let found = '';
  if (seen(style.backgroundColor) || same) {
    const fill = seen(style.backgroundColor) ? style.backgroundColor : 'none';
    const round = short(Math.min(parseFloat(style.borderTopLeftRadius) || 0, frame.height / 2));
    found += `<rect ${place(frame, origin)} rx="${round}" fill="${fill}" ${same ? stroke(sides[0]) : ''}/>`;
  }
  if (same) return found;
  const [left, top] = [frame.left - origin.left, frame.top - origin.top];
  const [right, bottom] = [left + frame.width, top + frame.height];
  const ends = [[left, top, right, top], [right, top, right, bottom], [left, bottom, right, bottom], [left, top, left, bottom]];
  sides.forEach((one, at) => {
    const [x1, y1, x2, y2] = ends[at].map(short);
    if (drawn(one)) found += `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" ${stroke(one)}/>`;
  });
  return found;
}

function words(node, style, origin) {
  if (!node.data.trim() || style.fontFamily.includes('Material Symbols')) return '';
  const range = document.createRange(), lines = [];
  for (let at = 0; at < node.length; at++) {
    range.setStart(node, at); range.setEnd(node, at + 1);
    const frame = range.getClientRects()[0], last = lines[lines.length - 1];
    if (!frame || !frame.width) continue;
    if (last && Math.abs(last.top - frame.top) < 3) { last.text += node.data[at]; last.right = frame.right; }
    else lines.push({ text: node.data[at], left: frame.left, right: frame.right, top: frame.top, bottom: frame.bottom });
  }
  const size = parseFloat(style.fontSize), { textDecorationLine: line, textDecorationStyle: kind } = style;
  const look = `font-size="${short(size)}" font-family="${escape(style.fontFamily)}" fill="${style.color}"`
    + (style.fontWeight > 400 ? ` font-weight="${style.fontWeight}"` : '')
    + (style.fontStyle !== 'normal' ? ` font-style="${style.fontStyle}"` : '')
    + (line !== 'none' ? ` text-decoration="${kind === 'solid' ? line : `${line} ${kind}`}"` : '');
  return lines.filter((one) => one.text.trim()).map((one) => {
    const y = (one.top + one.bottom) / 2 - origin.top + size * 0.34;
    const width = `textLength="${short(one.right - one.left)}" lengthAdjust="spacingAndGlyphs"`;
    const start = short(one.left - origin.left);
    return `<text x="${start}" y="${short(y)}" ${width} xml:space="preserve" ${look}>${escape(one.text)}</text>`;
  }).join('');
}

let copies = 0;
function graphic(svg, origin) { // a graphic of the page or of an <img>; names within it become its own
  const copy = svg.cloneNode(true), frame = (svg.source || svg).getBoundingClientRect();
  const texts = svg.source ? [] : svg.querySelectorAll('text, tspan'), copied = copy.querySelectorAll('text, tspan');
  for (const [at, one] of [...texts].entries()) { // as wide with another font too
    const width = one.children.length || !one.textContent ? 0 : one.getComputedTextLength();
    if (width) { copied[at].setAttribute('textLength', short(width)); copied[at].setAttribute('lengthAdjust', 'spacingAndGlyphs'); }
  }
  for (const one of copy.querySelectorAll('[style*="pointer-events"], [class*=drag], .hoverlayer')) {
    if (/drag|hoverlayer/.test(one.getAttribute('class') || '')) one.remove();
    else one.style.removeProperty('pointer-events');
  }
  if (!copy.children.length) return '';
  let text = new XMLSerializer().serializeToString(copy);
  const own = `p${copies++}-`, names = !svg.source ? [] : [...new Set([...text.matchAll(/ id="([^"]+)"/g)].map((one) => one[1]))];
  for (const name of names) text = text.split(`id="${name}"`).join(`id="${own}${name}"`)
    .split(`#${name}"`).join(`#${own}${name}"`).split(`#${name})`).join(`#${own}${name})`)
    .split(`#${name}&quot;`).join(`#${own}${name}&quot;`);
  text = text.replace(/(\d+\.\d{2})\d+/g, '$1');
  const size = svg.source ? '' : ` viewBox="0 0 ${short(frame.width)} ${short(frame.height)}"`;
  const view = copy.getAttribute('viewBox') ? '' : size;
  return text.replace(/^<svg([^>]*)>/, (all, rest) =>
    `<svg${rest.replace(/ (x|y|width|height|style|class)="[^"]*"/g, '')} ${place(frame, origin)}${view} fill="${svg.source ? 'black' : getComputedStyle(svg).fill}">`);
}

function picture(image, origin) { // of an <img>; rules of a graphic's style sheet become its own by a class
  const frame = image.getBoundingClientRect(), begin = 'data:image/svg+xml';
  if (!frame.width) return '';
  if (!image.src.startsWith(begin)) {
    const sharp = getComputedStyle(image).imageRendering === 'pixelated' ? ' style="image-rendering:pixelated"' : '';
    return `<image ${place(frame, origin)} href="${image.src}" preserveAspectRatio="none"${sharp}/>`;
  }
  const [head, body] = [image.src.slice(0, image.src.indexOf(',')), image.src.slice(image.src.indexOf(',') + 1)];
  const bytes = () => new TextDecoder().decode(Uint8Array.from(atob(body), (one) => one.charCodeAt(0)));
  const svg = new DOMParser().parseFromString(head.includes('base64') ? bytes() : decodeURIComponent(body), head.slice(5).split(';')[0]).documentElement;
  const own = `s${copies++}`;
  for (const style of svg.querySelectorAll('style')) {
    const known = Object.fromEntries([...style.textContent.matchAll(/(--[\w-]+): *([^;}]+)/g)].map((one) => one.slice(1)));
    style.textContent = style.textContent.replace(/:root *\{[^}]*\}/g, '')
      .replace(/var\((--[\w-]+)\)/g, (all, name) => known[name] ?? all)
      .replace(/([^{}]+)\{/g, (all, names) => names.split(',').map((name) => `.${own} ${name.trim()}`).join(',') + '{');
  }
  const group = svg.ownerDocument.createElementNS(SVG, 'g');
  group.setAttribute('class', own);
  group.append(...svg.childNodes); svg.append(group);
  svg.source = image;
  return graphic(svg, origin);
}

function flat(element, origin) {
  const style = getComputedStyle(element), tag = element.tagName;
  if (style.display === 'none' || style.visibility === 'hidden' || Number(style.opacity) === 0) return '';
  if (/^(STYLE|SCRIPT|TEMPLATE|BUTTON|INPUT|TEXTAREA|NOSCRIPT)$/.test(tag)) return '';
  if (element.classList.contains('lectern-corner') || element.dataset?.testid === 'stElementToolbar') return '';
  if (tag.toLowerCase() === 'svg') return graphic(element, origin);
  if (tag === 'IMG') return picture(element, origin);
  if (tag === 'CANVAS') {
    return element.width ? `<image ${place(element.getBoundingClientRect(), origin)} href="${element.toDataURL()}"/>` : '';
  }
  if (element.classList.contains('katex-mathml')) return '';
  const inside = [...(element.shadowRoot || element).childNodes]
    .map((node) => (node.nodeType === 1 ? flat(node, origin) : node.nodeType === 3 ? words(node, style, origin) : ''));
  const drawn = box(element, style, origin) + inside.join('');
  return drawn && style.opacity < 1 ? `<g opacity="${style.opacity}">${drawn}</g>` : drawn;
}

function whole(element) { // of what can be scrolled, all
  const frame = element.getBoundingClientRect();
  let [right, bottom] = [frame.right, frame.bottom];
  for (const one of element.querySelectorAll('img, svg.main-svg, table')) {
    const inner = one.getBoundingClientRect();
    right = Math.max(right, inner.right); bottom = Math.max(bottom, inner.bottom);
  }
  return { left: frame.left, top: frame.top, width: Math.ceil(right - frame.left), height: Math.ceil(bottom - frame.top) };
}

/** Draw what an element of the page shows as one SVG, with a ground and a title. */
export function svgOf(element, title) {
  const size = whole(element), ground = getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor;
  return `<svg xmlns="${SVG}" xmlns:xlink="http://www.w3.org/1999/xlink" width="${size.width}" height="${size.height}" `
    + `viewBox="0 0 ${size.width} ${size.height}" role="img"><title>${escape(title)}</title>`
    + `<rect width="100%" height="100%" fill="${ground}"/>${flat(element, size)}</svg>`;
}

const plotly = (element) => element.querySelector('.js-plotly-plot');
const named = (element) => ((element.querySelector('[role=figure], [role=img]') || element).getAttribute('aria-label')
  || [...element.querySelectorAll('img')].map((one) => one.alt).find(Boolean)
  || element.querySelector('[aria-label]')?.ariaLabel || document.querySelector('h1, h2, h3')?.innerText || 'Picture').split('\n')[0];

/** The numbers of a picture as rows: of its traces, of what the page says about them, or of its tables. */
export function rowsOf(element) {
  const drawn = plotly(element), told = element.querySelector('[data-numbers]');
  if (told) return JSON.parse(told.dataset.numbers);
  if (!drawn) return [...element.querySelectorAll('tr')].map((row) => [...row.children].map((cell) => cell.innerText.trim()));
  const list = (values) => (values == null ? [] : Array.from(values));
  const rows = [['trace', 'x', 'y', 'value']];
  for (const [at, trace] of drawn.data.entries()) {
    const name = trace.name || `${trace.type || 'scatter'} ${at + 1}`;
    const [x, y, z] = [list(trace.x), list(trace.y), list(trace.z)];
    if (z.length) z.forEach((row, r) => list(row).forEach((value, c) => rows.push([name, x[c] ?? c, y[r] ?? r, value])));
    else {
      const also = list(trace.text ?? trace.customdata);
      for (let i = 0; i < Math.max(x.length, y.length); i++) rows.push([name, x[i] ?? i, y[i] ?? i, also[i] ?? '']);
    }
  }
  return rows;
}

const cell = (value) => {
  const text = value == null ? '' : String(value).trim();
  return /[",\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
};

function save(content, name) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content); link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

async function png(svg) {
  const image = new Image();
  image.src = 'data:image/svg+xml;charset=utf-8,' + encodeURIComponent(svg);
  await image.decode();
  const canvas = document.createElement('canvas');
  canvas.width = image.width * SCALE; canvas.height = image.height * SCALE;
  canvas.getContext('2d').drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done, 'image/png'));
}

function embedLine(element, title) { // an exhibit of a lesson is embedded by its own page
  const address = new URL(location.href), place = element.closest('[class*="st-key-exhibit-"]');
  if (place) {
    const [, page, section] = place.className.match(/st-key-exhibit-([a-z]+)-(\S+)/);
    for (const name of ['lesson', 'present', 'at']) address.searchParams.delete(name);
    address.searchParams.set('section', section.replaceAll('-', ' '));
    address.pathname = address.pathname.replace(/[^/]*$/, page);
  }
  address.searchParams.set('embed', 'true');
  return `<iframe src="${escape(address.href)}" title="${escape(title)}" width="100%" height="600" style="border:0"></iframe>`;
}

function corner(element, labels) {
  const menu = document.createElement('details');
  menu.className = 'lectern-corner';
  const title = named(element), file = title.replace(/[^\p{L}\p{N}]+/gu, '_').slice(0, 60);
  const summary = menu.appendChild(document.createElement('summary'));
  summary.textContent = '⤓'; summary.title = labels.menu;
  summary.setAttribute('aria-label', `${labels.menu}: ${title}`);
  const list = menu.appendChild(document.createElement('div'));
  const says = document.createElement('span');
  says.setAttribute('role', 'status');
  const button = (name, label, act) => {
    const one = list.appendChild(document.createElement('button'));
    one.type = 'button'; one.textContent = name; one.title = label;
    one.onclick = async () => { says.textContent = (await act()) || ''; if (!says.textContent) menu.open = false; };
    return one;
  };
  button('SVG', labels.svg, () => save(new Blob([svgOf(element, title)], { type: 'image/svg+xml' }), `${file}.svg`));
  button('PNG', labels.png, async () => save(await png(svgOf(element, title)), `${file}.png`));
  const text = () => rowsOf(element).map((row) => row.map(cell).join(',') + '\r\n').join('');
  const table = button('CSV', labels.csv, () => save(new Blob([text()], { type: 'text/csv' }), `${file}.csv`));
  menu.addEventListener('toggle', () => { table.hidden = rowsOf(element).length < 2; }); // a chart gets its numbers late
  button(labels.embed, labels.embed_help, async () => {
    const line = embedLine(element, title);
    if (!navigator.clipboard) return void prompt(labels.embed_help, line); // a host without TLS
    await navigator.clipboard.writeText(line);
    return labels.copied;
  });
  list.append(says);
  menu.onkeydown = (event) => { if (event.key === 'Escape') { menu.open = false; summary.focus(); } };
  menu.addEventListener('focusout', (event) => {
    if (event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
  });
  return menu;
}

function beside(element, holder) { // pixels from the right end of the room to the corner of a narrow drawing
  if (plotly(element)) return 0;
  const ends = [...element.querySelectorAll('img, table, [data-picture], figcaption, .value')].map((one) => one.getBoundingClientRect().right);
  return Math.max(0, Math.round(holder.getBoundingClientRect().right - Math.max(...ends) - 32));
}

export default function ({ data, parentElement }) {
  document.documentElement.lang = data.language;
  let waiting = 0;
  const theme = getComputedStyle(parentElement);
  for (const name of ['text', 'background', 'secondary-background', 'border', 'primary']) { // they end at the component
    document.documentElement.style.setProperty(`--lectern-${name}`, theme.getPropertyValue(`--st-${name}-color`));
  }
  const place = () => {
    waiting = 0;
    for (const old of document.querySelectorAll('.lectern-corner')) {
      if (!old.parentElement.querySelector(PICTURES)) old.remove();
    }
    for (const element of document.querySelectorAll(PICTURES)) {
      const holder = element.closest('[data-testid=stElementContainer]');
      if (!holder) continue;
      const old = holder.querySelector(':scope > .lectern-corner');
      if (old && (old.open || old.shows === element && old.title_ === named(element))) continue;
      old?.remove();
      const menu = corner(element, data);
      menu.shows = element; menu.title_ = named(element);
      holder.append(menu);
      menu.style.right = `${beside(element, holder)}px`;
    }
  };
  const watch = new MutationObserver(() => { waiting = waiting || setTimeout(place, 150); });
  watch.observe(document.querySelector('[data-testid=stApp]'), { childList: true, subtree: true });
  place();
  return () => { watch.disconnect(); clearTimeout(waiting); };
}
