// News of the analysis that is shown: it is done, or it was removed.

import { ask } from "./api.js";

const LOOK_EVERY_MS = 15_000;
const LISTEN_AGAIN_MS = 3_000;

/** @param {HTMLElement} page names the analysis. */
export function follow(page) {
  const { analysis } = page.dataset;
  const over = new AbortController();
  const look = async () => {
    if (await isGone(page, `/v1/analyses/${analysis}`)) over.abort();
  };
  if ("pending" in page.dataset) watch(analysis, look, over.signal);
  document.addEventListener("visibilitychange", () => document.hidden || look(), { signal: over.signal });
}

/**
 * Listen while the page is seen: browsers keep few connections to a host. Look now and then as well: no lost word
 * matters then, and who waits stays signed in.
 *
 * @param {AbortSignal} signal ends that.
 */
function watch(analysis, look, signal) {
  let events = null;
  let refused;
  const listen = () => {
    clearTimeout(refused);
    events?.close();
    events = document.hidden ? null : new EventSource("/v1/events");
    // What happened before it was open is not told.
    events?.addEventListener("open", look);
    // Browsers go on by themselves after the last event, unless they were refused.
    events?.addEventListener("error", ({ target }) => {
      if (target.readyState === EventSource.CLOSED) refused = setTimeout(listen, LISTEN_AGAIN_MS);
    });
    for (const kind of ["analysis.succeeded", "analysis.failed", "analysis.removed"]) {
      events?.addEventListener(kind, (event) => JSON.parse(event.data).subject_id === analysis && look());
    }
  };
  document.addEventListener("visibilitychange", listen, { signal });
  const looking = setInterval(look, LOOK_EVERY_MS);
  signal.addEventListener("abort", () => {
    clearInterval(looking);
    clearTimeout(refused);
    events?.close();
  });
  listen();
}

/** Show what became of an analysis; say whether it was removed, so that nothing is to be waited for any more. */
async function isGone(page, address) {
  try {
    const { status } = await ask("GET", address);
    document.getElementById("ended").hidden = true;
    if ("pending" in page.dataset && (status === "succeeded" || status === "failed")) location.reload();
  } catch (problem) {
    const isNobodys = problem.isSignedOut || problem.isOfSomebodyElse;
    // What is half written would be lost.
    if (isNobodys && "pending" in page.dataset) location.reload();
    document.getElementById("ended").hidden = !isNobodys;
    if (problem.status !== 404) return false;
    document.getElementById("gone").hidden = false;
    return true;
  }
  return false;
}
