// Follows a batch while its pictures are analyzed. What has changed is read from the page itself,
// so there is one place that says how it looks.

import { News } from "./analysis_news.js";

const PAUSE_MS = 700;
const READ_AGAIN_MS = 4_000;
const LONGEST_READ_MS = 30_000;

const pictures = document.getElementById("pictures");
const progress = () => document.getElementById("progress");
const isFinished = () => progress().dataset.finished === "yes";
const news = new News(() => soon());

let waiting = 0;
let isTold = false;

for (const turn of ["online", "offline"]) addEventListener(turn, () => soon());
news.begin();

/** Read the page again, once for many words that come together. */
function soon(inMs = PAUSE_MS) {
  if (isFinished()) return;
  isTold = true;
  waiting ||= setTimeout(read, inMs);
}

async function read() {
  // What is told from here on may have happened after the page was written: then it is read once more. One after the
  // other, so that an older one never comes last.
  isTold = false;
  let isRead = false;
  try {
    const signal = AbortSignal.timeout(LONGEST_READ_MS);
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, credentials: "same-origin", signal });
    // Signed out meanwhile, or removed: the page says so itself.
    if (answer.redirected || answer.status === 404) return location.reload();
    if (answer.ok) show(new DOMParser().parseFromString(await answer.text(), "text/html"));
    isRead = answer.ok;
  } catch {
    // The connection is away for a while.
  }
  waiting = 0;
  document.getElementById("away").hidden = isRead;
  if (isFinished()) news.end();
  else if (!isRead) soon(READ_AGAIN_MS);
  else if (isTold) soon();
}

/** Put in what is different; what is the same stays, and with it the focus. */
function show(page) {
  // The last one first, so that what is new finds the one that it stands before.
  let next = null;
  for (const now of [...page.querySelectorAll("#pictures > li")].reverse()) {
    next = document.getElementById(now.id) ?? pictures.insertBefore(document.importNode(now, true), next);
  }
  for (const now of page.querySelectorAll("[data-live]")) {
    const shown = document.getElementById(now.id);
    if (shown.innerHTML !== now.innerHTML) {
      const name = shown.contains(document.activeElement) && document.activeElement.textContent;
      shown.replaceChildren(...now.childNodes);
      shown.dataset.finished = now.dataset.finished ?? "";
      if (name) [...shown.querySelectorAll("a, button")].find((each) => each.textContent === name)?.focus();
    }
  }
  for (const shown of [...pictures.children]) {
    if (!page.getElementById(shown.id)) shown.remove();
  }
  if (isFinished()) {
    document.getElementById("announced").textContent = progress().querySelector("p").textContent;
  }
}
