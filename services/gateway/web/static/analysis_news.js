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

  /** From now on listen while the page is seen, and look now and then all the same: who waits stays signed in. */
  begin() {
    if (this.#looking) return;
    this.#looking = setInterval(() => this.#look(), LOOK_EVERY_MS);
    document.addEventListener("visibilitychange", this.#listenWhileSeen);
    this.#listenWhileSeen();
  }

  /** Neither listen nor look any more. */
  end() {
    document.removeEventListener("visibilitychange", this.#listenWhileSeen);
    this.#pause();
    clearInterval(this.#looking);
    this.#looking = 0;
  }

  /** Browsers keep few connections to a host: pages that nobody sees leave them to others. */
  #listenWhileSeen = () => (document.hidden ? this.#pause() : this.#listen());

  #listen() {
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

  #pause() {
    clearTimeout(this.#refused);
    this.#events?.close();
    this.#events = null;
  }

  /** Browsers go on by themselves after the last event, unless they were refused. */
  #lost() {
    if (this.#events?.readyState !== EventSource.CLOSED) return;
    this.#pause();
    this.#refused = setTimeout(() => this.#listen(), LISTEN_AGAIN_MS);
  }
}
