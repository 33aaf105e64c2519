// The slider that blends one picture into the other.

const slider = document.querySelector("[data-slider]");
const above = document.querySelector("[data-above]");

if (slider && above) {
  const blend = slider.querySelector("input");
  const show = () => above.setAttribute("opacity", String(blend.valueAsNumber / 100));
  blend.addEventListener("input", show);
  slider.hidden = false;
  show();
}
