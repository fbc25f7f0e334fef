// Makes the words and the exhibit of a screen as large as the window has room for.
const ZOOMS = [1.8, 1.65, 1.5, 1.4, 1.3, 1.2, 1.1, 1, 0.92, 0.85];
const WORDS = [1.15, 1.08, 1, 0.93, 0.87, 0.8, 0.74, 0.68];
export default function () {
  const fit = (name, zooms) => {
    const part = document.querySelector(`.st-key-presented-${name}`);
    if (!part) return;
    for (const zoom of zooms) {
      part.style.zoom = zoom;
      const frame = part.getBoundingClientRect();
      const wide = [...part.querySelectorAll('table, [data-testid=stHtml] img')].every((one) => one.getBoundingClientRect().right <= frame.right + 1);
      if (wide && frame.bottom <= window.innerHeight - 12) break;
    }
  };
  let waiting = 0;
  const all = () => { waiting = 0; fit('text', WORDS); fit('exhibit', ZOOMS); fit('inputs', ZOOMS); };
  const later = () => { waiting = waiting || setTimeout(all, 120); };
  const watch = new MutationObserver(later);
  watch.observe(document.querySelector('[data-testid=stMain]'), { childList: true, subtree: true });
  window.addEventListener('resize', later);
  all();
  return () => { watch.disconnect(); window.removeEventListener('resize', later); clearTimeout(waiting); };
}
