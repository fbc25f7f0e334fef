// Shows each step of a lesson from its beginning.
let shown;
export default function ({ data }) {
  if (shown !== data.step) document.querySelector('[data-testid=stMain]').scrollTo(0, 0);
  shown = data.step;
}
