// What is laid over the picture: the outline of the lesion, and what spoke for the label.

import { traced } from "./result_outline.js";

export class Layers extends EventTarget {
  /**
   * @param {HTMLElement} root holds the panes.
   * @param {HTMLElement} tools hold the switches.
   */
  constructor(root, tools) {
    super();
    this.root = root;
    this.missing = [];
    this.outline = tools.querySelector("[name=outline]");
    this.explanation = tools.querySelector("[name=explanation]");
    this.opacity = tools.querySelector("[name=opacity]");
    this.sideBySide = tools.querySelector("[name=side-by-side]");
    for (const each of [this.outline, this.explanation]) each?.addEventListener("change", () => this.show());
    this.opacity?.addEventListener("input", () => this.fade());
    this.sideBySide?.addEventListener("click", () => this.lay());
  }

  /** Fetch the layers, once the picture itself is there. */
  async load() {
    await this.root.querySelector("img.picture").decode().catch(() => this.#miss("picture"));
    const { mask, explanation } = this.root.dataset;
    await Promise.all([
      mask && this.#fetched(mask, "outline", (blob) => this.#draw(blob)),
      explanation && this.#fetched(explanation, "explanation", (blob) => this.#heat(blob)),
    ]);
    this.root.dataset.layers = "loaded";
  }

  /** Whoever moves the slider wants to see what it does. */
  fade() {
    this.explanation.checked = true;
    this.show();
  }

  /** Lay the explanation beside the picture, or over it again. */
  lay() {
    const beside = this.sideBySide.getAttribute("aria-pressed") !== "true";
    this.sideBySide.setAttribute("aria-pressed", String(beside));
    this.root.querySelector(".pane.second").hidden = !beside;
    this.#keepApart(beside);
    this.dispatchEvent(new Event("change"));
  }

  show() {
    for (const each of this.root.querySelectorAll(".outline")) {
      each.style.visibility = this.outline.checked ? "visible" : "hidden";
    }
    const heat = this.root.querySelector(".layer.explanation");
    if (!heat) return;
    heat.hidden = !this.explanation.checked;
    heat.style.opacity = this.opacity.value / 100;
    this.root.querySelector(".legend").hidden = heat.hidden;
  }

  /** Beside the explanation lies the plain picture; whoever wants both under it says so again. */
  #keepApart(beside) {
    const { explanation } = this;
    if (beside) [this.wasOver, explanation.checked] = [explanation.checked, false];
    else explanation.checked ||= this.wasOver;
    this.show();
  }

  async #fetched(address, name, use) {
    try {
      const answer = await fetch(address, { credentials: "same-origin" });
      if (!answer.ok) throw new Error(answer.status);
      await use(await answer.blob());
    } catch {
      this.#miss(name);
    }
  }

  #miss(name) {
    this.missing.push(name);
    const said = `Could not be loaded: ${this.missing.join(", ")}. Load the page again to try once more.`;
    this.root.querySelector(".trouble").textContent = said;
  }

  async #draw(blob) {
    const { width, height } = this.root.querySelector(".outline").viewBox.baseVal;
    const path = traced(await createImageBitmap(blob), width, height);
    for (const each of this.root.querySelectorAll(".outline path")) each.setAttribute("d", path);
    this.root.querySelector(".outlined").hidden = false;
  }

  #heat(blob) {
    const address = URL.createObjectURL(blob);
    for (const each of this.root.querySelectorAll("img.explanation")) each.src = address;
  }
}
