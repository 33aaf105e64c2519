// Waits for results: told by events, and read once more now and then, so that no lost word matters.

import { News } from "./analysis_news.js";
import { ask } from "./api.js";

const ENDED = new Set(["succeeded", "failed"]);

/** The analyses that somebody waits for. */
export class Watch {
  #waited = new Map();
  #news = new News((id) => (id ? this.#look(id) : this.#lookAtAll()));

  /**
   * Return an analysis when it has ended.
   *
   * @param {string} id of the analysis.
   * @throws {Problem} it cannot be read: one is signed out, or it was removed.
   */
  result(id) {
    return new Promise((resolve, reject) => {
      this.#waited.set(id, { resolve, reject });
      this.#news.begin();
      // It may have ended before anybody listened.
      this.#look(id);
    });
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
    if (!this.#waited.size) this.#news.end();
    return waiting;
  }
}
