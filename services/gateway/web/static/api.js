// Talks to /v1 in the session of this browser. The cookie goes along by itself; no script sees it.

const { user } = document.documentElement.dataset;

/** Says whose page asks: it is refused where somebody else is signed in by now. */
export const OF_USER = user ? { "X-Dermserve-User": user } : {};

/** What went wrong, as the gateway says it (RFC 9457). */
export class Problem extends Error {
  /**
   * @param {number} status of the answer; 0 when there was none.
   * @param {string} detail the sentence for people.
   * @param {string} type names the kind of problem.
   * @param {number} retryAfter seconds to wait before another try; 0 when nothing was said.
   */
  constructor(status, detail, type = "about:blank", retryAfter = 0) {
    super(detail);
    this.status = status;
    this.type = type;
    this.retryAfter = retryAfter;
  }

  /** Whether nobody is signed in any more. */
  get isSignedOut() {
    return this.status === 401;
  }

  /** Whether somebody else is signed in by now. */
  get isOfSomebodyElse() {
    return this.type.endsWith("#somebody-else");
  }

  /** Whether the same request may go well a little later. */
  get isPassing() {
    return [0, 408, 429, 502, 503, 504].includes(this.status);
  }
}

/**
 * Ask for something and return the JSON of the answer, null where it has none.
 *
 * @param {string} method of HTTP.
 * @param {string} path under /v1.
 * @param {{body?: BodyInit, json?: unknown, headers?: Record<string, string>, signal?: AbortSignal}} options
 * @throws {Problem} it was refused, or nobody answered.
 */
export async function ask(method, path, options = {}) {
  const headers = new Headers({ Accept: "application/json", ...OF_USER, ...options.headers });
  let body = options.body;
  if (options.json !== undefined) {
    headers.set("Content-Type", "application/json");
    body = JSON.stringify(options.json);
  }
  let answer;
  try {
    answer = await fetch(path, { method, headers, body, signal: options.signal, credentials: "same-origin" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, "The gateway cannot be reached. Check the connection.");
  }
  if (!answer.ok) throw await problemOf(answer);
  return answer.status === 204 ? null : answer.json();
}

/** Return a key that makes a POST safe to send again. */
export function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function problemOf(answer) {
  const retryAfter = Number(answer.headers.get("Retry-After")) || 0;
  try {
    const { detail, type } = await answer.json();
    return new Problem(answer.status, detail, type, retryAfter);
  } catch {
    return new Problem(answer.status, `The gateway answered with ${answer.status}.`, undefined, retryAfter);
  }
}
