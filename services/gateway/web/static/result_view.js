// Zoom and pan. Panes that lie side by side move together.

import { listen } from "./result_gestures.js";

const STEP = 1.25;
const MOST = 16; // CSS pixels for one of the picture

export class View {
  /**
   * @param {HTMLElement} root holds the panes.
   * @param {HTMLElement} tools hold the buttons.
   */
  constructor(root, tools) {
    this.stages = [...root.querySelectorAll(".panes > .pane > .stage")];
    const picture = root.querySelector("img.picture");
    this.width = Number(picture.getAttribute("width"));
    this.height = Number(picture.getAttribute("height"));
    this.output = tools.querySelector("output");
    [this.zoom, this.x, this.y] = [1, 0, 0]; // a zoom of 1 shows the whole picture
    for (const stage of this.stages) listen(stage, this);
    this.#offer(tools);
    new ResizeObserver(() => this.show()).observe(this.stages[0]);
    this.show();
  }

  /** CSS pixels for one of the picture while the whole of it is shown. */
  get fitted() {
    const { clientWidth, clientHeight } = this.stages[0];
    return Math.min(clientWidth / this.width, clientHeight / this.height) || 1;
  }

  /** Zoom by a factor around a point of the stage; without one, around its middle. */
  by(factor, at = this.#middle()) {
    const [least, most] = [Math.min(1, 1 / this.fitted), Math.max(1, MOST / this.fitted)];
    const zoom = Math.min(most, Math.max(least, this.zoom * factor));
    const grown = zoom / this.zoom;
    this.x = at.x - (at.x - this.x) * grown;
    this.y = at.y - (at.y - this.y) * grown;
    this.zoom = zoom;
    this.show();
  }

  closer(at) {
    this.by(STEP, at);
  }

  farther(at) {
    this.by(1 / STEP, at);
  }

  move(right, down) {
    this.x += right;
    this.y += down;
    this.show();
  }

  fit() {
    this.by(1 / this.zoom);
  }

  /** Show a pixel of the picture as one of the page. */
  whole() {
    this.by(1 / (this.fitted * this.zoom));
  }

  show() {
    const { clientWidth, clientHeight } = this.stages[0];
    this.x = kept(this.x, clientWidth, this.zoom);
    this.y = kept(this.y, clientHeight, this.zoom);
    const scale = this.fitted * this.zoom;
    for (const stage of this.stages) {
      const sheet = stage.querySelector(".sheet");
      sheet.style.transform = `translate(${this.x}px, ${this.y}px) scale(${this.zoom})`;
      sheet.style.setProperty("--fine", 1 / scale);
      sheet.classList.toggle("sharp", isWhole(scale * devicePixelRatio));
      stage.classList.toggle("zoomed", this.zoom > 1);
    }
    this.output.textContent = `${Math.round(100 * scale)}\u00a0%`;
  }

  #middle() {
    const { clientWidth, clientHeight } = this.stages[0];
    return { x: clientWidth / 2, y: clientHeight / 2 };
  }

  #offer(tools) {
    const deeds = { in: () => this.closer(), out: () => this.farther(), fit: () => this.fit(), whole: () => this.whole() };
    for (const [name, deed] of Object.entries(deeds)) {
      tools.querySelector(`button[name=${name}]`).addEventListener("click", deed);
    }
  }
}

/** Return a shift with which the stage stays filled, or what is smaller lies in its middle. */
function kept(shift, length, zoom) {
  const room = length * (1 - zoom);
  return Math.round(room > 0 ? room / 2 : Math.min(0, Math.max(room, shift)));
}

/** Whether pixels fall on pixels, so that nothing needs to be smoothed. */
function isWhole(scale) {
  return scale > 0.99 && Math.abs(scale - Math.round(scale)) < 0.001;
}
