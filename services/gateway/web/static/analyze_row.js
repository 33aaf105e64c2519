// A picture in the list: what it is, how far it is, and what was found.

/** What a picture can come to, the most urgent first. */
export const OUTCOMES = ["Suspicious", "Not suspicious", "Cannot assess"];

const [SUSPICIOUS, PLAIN, UNASSESSED] = OUTCOMES;
const ICONS = { [SUSPICIOUS]: "▲", [PLAIN]: "●", [UNASSESSED]: "?" };

/** Shows one picture; knows nothing of where it goes. */
export class Row {
  /**
   * @param {File} file
   * @param {() => void} removed when somebody takes it off the list.
   */
  constructor(file, removed) {
    const template = document.getElementById("picture-row");
    this.element = template.content.firstElementChild.cloneNode(true);
    for (const each of this.#all(".name")) each.textContent = file.name;
    this.#one(".remove").addEventListener("click", removed);
  }

  /** Whether somebody may take it off the list. */
  get isRemovable() {
    return !this.#one(".remove").hidden;
  }

  /** Put the focus on what takes it off the list. */
  focus() {
    this.#one(".remove").focus();
  }

  /** Show a small picture of it. */
  thumbnail(canvas) {
    canvas.className = "thumb";
    this.#one(".thumb").replaceWith(canvas);
  }

  /** Show a sentence beside it: what to think of. */
  hint(sentence) {
    this.#say(".advice", sentence);
  }

  /** Say how far it is; one that is off to the gateway is not removed any more. */
  state(name, sentence, share = null) {
    this.element.dataset.state = name;
    this.#one(".state").textContent = sentence;
    const progress = this.#one("progress");
    progress.hidden = share === null && name !== "analyzing";
    if (share === null) progress.removeAttribute("value");
    else progress.value = share;
    this.#one(".remove").hidden = !["waiting", "queued", "refused"].includes(name);
  }

  /** Say why it cannot be used, and how to mend it. */
  refused(sentence) {
    this.state("refused", "Not analyzed");
    this.hint(sentence);
  }

  /** Show where its analysis is. */
  at(id) {
    const link = this.#one(".open");
    link.href = `/analyses/${id}`;
    link.hidden = false;
  }

  /** Show what was found, and return it as one of the outcomes; nothing where it failed. */
  found(analysis) {
    this.state("done", "Done");
    this.hint("");
    const { classification, problem } = analysis;
    if (problem) {
      this.refused(problem.detail);
      return null;
    }
    if (!classification) {
      return this.#outcome("calm", UNASSESSED, "The result says why, and what would help.");
    }
    const { label, label_name: name, malignant_probability: malignant, suspicious } = classification;
    const words = `${name} (${label}) is most probable; malignant probability ${percent(malignant)}`;
    return suspicious ? this.#outcome("alert", SUSPICIOUS, words) : this.#outcome("good", PLAIN, words);
  }

  #outcome(kind, mark, words) {
    const tag = this.#one(".mark");
    tag.classList.add(kind);
    tag.querySelector("[aria-hidden]").textContent = ICONS[mark];
    tag.lastElementChild.textContent = mark;
    this.#one(".finding").textContent = words;
    this.#one(".outcome").hidden = false;
    return mark;
  }

  #say(selector, sentence) {
    const place = this.#one(selector);
    place.textContent = sentence;
    place.hidden = !sentence;
  }

  #one(selector) {
    return this.element.querySelector(selector);
  }

  #all(selector) {
    return this.element.querySelectorAll(selector);
  }
}

/** Write a probability as the result page does: never as sure as it is not. */
function percent(probability) {
  if (probability > 0 && probability < 0.001) return "< 0.1\u00a0%";
  if (probability < 1 && probability > 0.999) return "> 99.9\u00a0%";
  return `${(100 * probability).toFixed(1)}\u00a0%`;
}
