// Wheel, pinch, drag and keys on a picture.

const ARROW_PX = 60;

/**
 * Zoom and move a view by what is done on a stage.
 *
 * @param {HTMLElement} stage shows it.
 * @param {View} view is moved.
 */
export function listen(stage, view) {
  stage.tabIndex = 0;
  stage.setAttribute("role", "group");
  stage.setAttribute("aria-label", "Picture. Plus and minus zoom, arrow keys move, 0 fits, 1 shows 100\u00a0%.");
  stage.addEventListener("keydown", (event) => pressed(event, view));
  stage.addEventListener("wheel", (event) => turned(event, stage, view), { passive: false });
  const fingers = new Map();
  stage.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    stage.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, place(event, stage));
    stage.classList.add("held");
  });
  stage.addEventListener("pointermove", (event) => {
    if (fingers.has(event.pointerId)) dragged(event, stage, view, fingers);
  });
  for (const ending of ["pointerup", "pointercancel"]) {
    stage.addEventListener(ending, (event) => {
      fingers.delete(event.pointerId);
      stage.classList.toggle("held", fingers.size > 0);
    });
  }
}

function pressed(event, view) {
  if (event.ctrlKey || event.metaKey || event.altKey) return; // of the browser
  const deeds = {
    "+": () => view.closer(),
    "=": () => view.closer(),
    "-": () => view.farther(),
    0: () => view.fit(),
    1: () => view.whole(),
    ArrowLeft: () => view.move(ARROW_PX, 0),
    ArrowRight: () => view.move(-ARROW_PX, 0),
    ArrowUp: () => view.move(0, ARROW_PX),
    ArrowDown: () => view.move(0, -ARROW_PX),
  };
  if (!(event.key in deeds)) return;
  event.preventDefault();
  deeds[event.key]();
}

/** While the whole picture is shown, turning on scrolls the page as everywhere else. */
function turned(event, stage, view) {
  if (event.deltaY > 0 && view.zoom <= 1) return;
  event.preventDefault();
  view.by(Math.exp(-event.deltaY / 400), place(event, stage));
}

/** One finger moves; two zoom around the point between them, and move with it. */
function dragged(event, stage, view, fingers) {
  const before = between(fingers);
  fingers.set(event.pointerId, place(event, stage));
  const after = between(fingers);
  if (fingers.size > 1) view.by(after.apart / before.apart, before);
  view.move(after.x - before.x, after.y - before.y);
}

function between(fingers) {
  const [first, second = first] = fingers.values();
  return {
    x: (first.x + second.x) / 2,
    y: (first.y + second.y) / 2,
    apart: Math.hypot(first.x - second.x, first.y - second.y) || 1,
  };
}

function place(event, stage) {
  const { left, top } = stage.getBoundingClientRect();
  return { x: event.clientX - left, y: event.clientY - top };
}
