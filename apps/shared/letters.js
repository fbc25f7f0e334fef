export default function ({ data, parentElement, setTriggerValue }) {
  const box = parentElement.querySelector('.letters');
  const card = parentElement.querySelector('.card');
  card.style.display = 'none';
  box.style.setProperty('--mark', data.mark);
  box.setAttribute('aria-label', data.label);
  const spans = data.tokens.map(([text, colour, note, marked, against], at) => {
    const span = document.createElement('span');
    const lines = text === '\n' && data.breaks;
    span.textContent = lines ? '\u21b5\n' : text;
    if (colour) span.style.background = colour;
    if (lines) span.classList.add('break');
    if (marked) span.classList.add('marked');
    if (against) span.classList.add('against');
    if (at < data.quiet) span.className = 'quiet';
    if (at === data.chosen) span.classList.add('chosen');
    span.dataset.at = at;
    span.dataset.note = note;
    span.id = `letter-${at}`;
    span.setAttribute('role', 'option');
    span.setAttribute('aria-selected', at === data.chosen);
    span.setAttribute('aria-label', `${text.trim() || '\u2423'} ${data.notes[note]}`);
    return span;
  });
  box.replaceChildren(...spans);
  const of = (event) => event.target.closest && event.target.closest('span[data-at]');
  const choose = (at) => {
    if (!data.clicks || at < data.quiet || at >= spans.length) return;
    spans.forEach((span, number) => span.classList.toggle('chosen', number === at));
    setTriggerValue('click', at);
  };
  box.onclick = (event) => { const span = of(event); if (span) choose(Number(span.dataset.at)); };
  let here = data.chosen < 0 ? data.quiet - 1 : data.chosen;
  box.onkeydown = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    here = Math.min(Math.max(here + step, data.quiet), spans.length - 1);
    if (!spans[here]) return;
    spans.forEach((span, at) => span.classList.toggle('here', at === here));
    box.setAttribute('aria-activedescendant', spans[here].id);
    tell(spans[here]);
    choose(here);
  };
  const tell = (span) => {
    const note = span && data.notes[Number(span.dataset.note)];
    card.style.display = note ? 'block' : 'none';
    if (!note) return;
    card.textContent = note;
    const place = span.getBoundingClientRect();
    const left = Math.min(place.left, window.innerWidth - card.offsetWidth - 8);
    const below = place.bottom + 6;
    const fits = below + card.offsetHeight < window.innerHeight;
    card.style.left = Math.max(8, left) + 'px';
    card.style.top = (fits ? below : place.top - card.offsetHeight - 6) + 'px';
  };
  box.onmouseover = (event) => tell(of(event));
  box.onblur = box.onmouseleave = () => { card.style.display = 'none'; };
}
