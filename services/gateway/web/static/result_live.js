// News of the analysis that is shown: it is done, or it was removed.

import { News } from "./analysis_news.js";
import { ask } from "./api.js";

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

/** @param {AbortSignal} signal ends that. */
function watch(analysis, look, signal) {
  const news = new News((id = analysis) => id === analysis && look());
  signal.addEventListener("abort", () => news.end());
  news.begin();
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
