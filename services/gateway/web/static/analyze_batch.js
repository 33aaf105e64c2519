// The pictures of the list on their way: three at a time, each sent until it is there.

import { ask, newKey } from "./api.js";
import { hash, inspected } from "./analyze_inspection.js";
import { OUTCOMES, Row } from "./analyze_row.js";
import { pause, send, waitBefore } from "./analyze_sending.js";
import { Watch } from "./analyze_watch.js";

const AT_ONCE = 3;
const KEPT_AS = "analyze:";

/** All pictures of this page. */
export class Batch {
  #pictures = [];
  #watch = new Watch();
  #sending = 0;
  #limits;
  #username;
  #list;
  #otherwise;
  #changed;
  #goOn = null;
  #heldBy = null;
  #signedIn = Promise.resolve();

  /**
   * @param {HTMLElement} list shows the pictures.
   * @param {{maxBytes: number, maxPixels: number, maxSide: number}} limits of a picture.
   * @param {string} username whose pictures they are.
   * @param {HTMLElement} otherwise has the focus when no picture can be removed any more.
   * @param {() => void} changed told whenever one is further than before.
   */
  constructor(list, limits, username, otherwise, changed) {
    this.#list = list;
    this.#otherwise = otherwise;
    this.#limits = limits;
    this.#username = username;
    this.#changed = changed;
  }

  /** What keeps everything until somebody signs in; null if nothing does. */
  get heldBy() {
    return this.#heldBy;
  }

  /** Count pictures that are in one of some states. */
  count(...states) {
    return this.#pictures.filter(({ state }) => states.includes(state)).length;
  }

  /** Count what was found, by the words that the rows say it in; what is suspicious comes first. */
  outcomes() {
    const counts = {};
    for (const outcome of OUTCOMES) counts[outcome.toLowerCase()] = this.#pictures.filter((each) => each.outcome === outcome).length;
    return counts;
  }

  /** Put files on the list, and look at one after the other. */
  async add(files) {
    const added = Array.from(files, (file) => this.#listed(file));
    this.#changed();
    for (const picture of added) {
      const { refusal, hint, thumbnail, digest } = await inspected(picture.file, this.#limits);
      if (refusal) {
        this.#refuse(picture, refusal);
        continue;
      }
      picture.digest = digest;
      picture.row.thumbnail(thumbnail);
      picture.row.hint(hint);
      if (picture.state === "expected") {
        this.#queue(picture);
        this.#next();
      } else this.#step(picture, "waiting", "Ready");
    }
  }

  /** Send what waits, and what is still looked at as soon as it is; with what is said of it by now. */
  start(fields) {
    for (const picture of this.#pictures.filter(({ state }) => state === "waiting" || state === "checking")) {
      picture.fields = fields;
      if (picture.state === "waiting") this.#queue(picture);
      else this.#step(picture, "expected", "Looking at it; it is sent then");
    }
    this.#next();
  }

  /**
   * Go on after somebody signed in again.
   *
   * @throws {Problem} nobody is signed in, or somebody else.
   */
  async goOn() {
    await ask("GET", "/v1/me");
    this.#goOn?.();
    this.#goOn = this.#heldBy = null;
    this.#changed();
  }

  #listed(file) {
    const picture = { file, state: "checking", fields: null };
    picture.row = new Row(file, () => this.#remove(picture));
    this.#pictures.push(picture);
    this.#list.append(picture.row.element);
    picture.row.state("checking", "Looking at it");
    return picture;
  }

  #remove(picture) {
    const place = this.#pictures.indexOf(picture);
    this.#pictures.splice(place, 1);
    picture.row.element.remove();
    this.#changed();
    // Who uses the keyboard goes on from here, not from the top of the page.
    const rows = this.#pictures.slice(place).concat(this.#pictures.slice(0, place).reverse());
    (rows.find(({ row }) => row.isRemovable)?.row ?? this.#otherwise).focus();
  }

  #queue(picture) {
    this.#step(picture, "queued", "Waiting for its turn");
  }

  #next() {
    while (this.#sending < AT_ONCE) {
      const picture = this.#pictures.find(({ state }) => state === "queued");
      if (!picture) return;
      this.#sending += 1;
      this.#step(picture, "sending", "Sending", 0);
      this.#sent(picture).finally(() => {
        this.#sending -= 1;
        this.#next();
      });
    }
  }

  async #sent(picture) {
    try {
      const { id } = await this.#untilThere(picture);
      picture.row.at(id);
      this.#step(picture, "analyzing", "Analyzing");
      // The line is free for the next one meanwhile.
      this.#finish(picture, id);
    } catch (problem) {
      this.#refuse(picture, problem.message);
    }
  }

  async #finish(picture, id) {
    try {
      const analysis = await this.#through(() => this.#watch.result(id));
      picture.outcome = picture.row.found(analysis);
      picture.state = analysis.problem ? "refused" : "done";
      this.#changed();
    } catch (problem) {
      this.#refuse(picture, problem.message);
    }
  }

  async #untilThere(picture) {
    const place = await this.#placeOfKey(picture);
    for (let tries = 0; ; tries += 1) {
      try {
        return await this.#through(() => this.#once(picture, keyAt(place)));
      } catch (problem) {
        if (problem.type.endsWith("#conflict") && !tries) {
          // What was made before was removed since; now it is meant anew.
          sessionStorage.removeItem(place);
          continue;
        }
        const seconds = waitBefore(problem, tries);
        if (seconds === null) throw problem;
        this.#step(picture, "sending", problem.status ? "The gateway is busy; trying again shortly" : "No connection; trying again by itself");
        await pause(seconds);
      }
    }
  }

  #once(picture, key) {
    const form = new FormData();
    for (const [name, text] of picture.fields) form.append(name, text);
    form.append("image", picture.file);
    const told = (share) => this.#step(picture, "sending", share < 1 ? `Sending, ${Math.round(100 * share)}\u00a0%` : "Sent, being checked", share);
    return send(form, key, told);
  }

  /** Do what needs somebody who is signed in, as often as it takes. */
  async #through(work) {
    for (;;) {
      await this.#signedIn;
      try {
        return await work();
      } catch (problem) {
        if (!problem.isSignedOut && !problem.isOfSomebodyElse) throw problem;
        this.#hold(problem);
      }
    }
  }

  #hold(problem) {
    if (this.#goOn) return;
    this.#heldBy = problem;
    this.#signedIn = new Promise((resolve) => (this.#goOn = resolve));
    this.#changed();
  }

  /** Name where the key of a picture is kept; nobody can tell from it what the picture is, or of whom. */
  async #placeOfKey({ digest, fields }) {
    const said = JSON.stringify([this.#username, digest, fields]);
    return KEPT_AS + (await hash(new TextEncoder().encode(said)));
  }

  #refuse(picture, sentence) {
    picture.row.refused(sentence);
    picture.state = "refused";
    this.#changed();
  }

  #step(picture, state, sentence, share = null) {
    picture.row.state(state, sentence, share);
    if (picture.state === state) return;
    picture.state = state;
    this.#changed();
  }
}

/** Return the key at a place; the same picture with the same said of it has the same in this tab. */
function keyAt(place) {
  const kept = sessionStorage.getItem(place) ?? newKey();
  sessionStorage.setItem(place, kept);
  return kept;
}
