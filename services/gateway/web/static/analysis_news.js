// News of analyses that have ended or were removed, and a look now and then, so that no lost word matters.

const LOOK_EVERY_MS = 15_000;
const LISTEN_AGAIN_MS = 3_000;
const KINDS = ["analysis.succeeded", "analysis.failed", "analysis.removed"];

/** What is told of analyses. */
export class News {
  #look;
  #events = null;
  #refused = 0;
  #looking = 0;

  /**
   * @param {(id?: string) => void} look is called with the id of an analysis that there is news of; without one
   *   where words may have been lost.
   */
  constructor(look) {
    this.#look = look;
  }

  /** Look now and then, from now on. */
  begin() {
    this.#looking ||= setInterval(() => this.#look(), LOOK_EVERY_MS);
  }

  /** Listen, too. */
  listen() {
    if (this.#events) return;
    clearTimeout(this.#refused);
    this.#events = new EventSource("/v1/events");
    // What happened before it was open is not told.
    this.#events.addEventListener("open", () => this.#look());
    this.#events.addEventListener("error", () => this.#lost());
    for (const kind of KINDS) {
      this.#events.addEventListener(kind, ({ data }) => this.#look(JSON.parse(data).subject_id));
    }
  }

  /** Listen no more for now, and look on. */
  pause() {
    clearTimeout(this.#refused);
    this.#events?.close();
    this.#events = null;
  }

  /** Neither listen nor look any more. */
  end() {
    this.pause();
    clearInterval(this.#looking);
    this.#looking = 0;
  }

  /** Browsers go on by themselves after the last event, unless they were refused. */
  #lost() {
    if (this.#events?.readyState !== EventSource.CLOSED) return;
    this.pause();
    this.#refused = setTimeout(() => this.listen(), LISTEN_AGAIN_MS);
  }
}
