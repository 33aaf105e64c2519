// Waits for results: told by events, and read once more now and then, so that no lost word matters.

import { ask } from "./api.js";

const LOOK_EVERY_MS = 15_000;
const LISTEN_AGAIN_MS = 3_000;
const ENDED = new Set(["succeeded", "failed"]);

/** The analyses that somebody waits for. */
export class Watch {
  #waited = new Map();
  #events = null;
  #timer = 0;

  /**
   * Return an analysis when it has ended.
   *
   * @param {string} id of the analysis.
   * @throws {Problem} it cannot be read: one is signed out, or it was removed.
   */
  result(id) {
    return new Promise((resolve, reject) => {
      this.#waited.set(id, { resolve, reject });
      this.#listen();
      // It may have ended before anybody listened.
      this.#look(id);
    });
  }

  #listen() {
    if (this.#events || !this.#waited.size) return;
    this.#events = new EventSource("/v1/events");
    this.#events.addEventListener("open", () => this.#lookAtAll());
    this.#events.addEventListener("error", () => this.#lost());
    for (const kind of ["analysis.succeeded", "analysis.failed", "analysis.removed"]) {
      this.#events.addEventListener(kind, ({ data }) => this.#look(JSON.parse(data).subject_id));
    }
    this.#timer = setInterval(() => this.#lookAtAll(), LOOK_EVERY_MS);
  }

  /** Browsers go on by themselves after the last event, unless they were refused. */
  #lost() {
    if (this.#events?.readyState !== EventSource.CLOSED) return;
    this.#stop();
    setTimeout(() => this.#listen(), LISTEN_AGAIN_MS);
  }

  #stop() {
    clearInterval(this.#timer);
    this.#events?.close();
    this.#events = null;
  }

  #lookAtAll() {
    for (const id of this.#waited.keys()) this.#look(id);
  }

  async #look(id) {
    if (!this.#waited.has(id)) return;
    try {
      const analysis = await ask("GET", `/v1/analyses/${id}`);
      if (ENDED.has(analysis.status)) this.#settle(id)?.resolve(analysis);
    } catch (problem) {
      if (!problem.isPassing) this.#settle(id)?.reject(problem);
    }
  }

  #settle(id) {
    const waiting = this.#waited.get(id);
    this.#waited.delete(id);
    if (!this.#waited.size) this.#stop();
    return waiting;
  }
}
