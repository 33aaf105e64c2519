// Follows a batch while its pictures are analyzed. What has changed is read from the page itself,
// so there is one place that says how it looks.

const PAUSE_MS = 700;
const POLL_MS = 4000;

const progress = () => document.getElementById("progress");

let waiting = 0;
const events = new EventSource("/v1/events");

events.addEventListener("open", () => soon());
for (const kind of ["analysis.succeeded", "analysis.failed", "analysis.removed", "batch.finished", "stream.missed"]) {
  events.addEventListener(kind, () => soon());
}
// A stream that was refused is not tried again by the browser: then the page is read now and then.
events.addEventListener("error", () => {
  if (events.readyState === EventSource.CLOSED) soon(POLL_MS);
});
addEventListener("online", () => soon());
addEventListener("pagehide", stop);

/** Read the page again, once for many events that come together. */
function soon(inMs = PAUSE_MS) {
  if (!waiting) waiting = setTimeout(read, inMs);
}

async function read() {
  let isRead = false;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, credentials: "same-origin" });
    // Signed out meanwhile, or removed: the page says so itself.
    if (answer.redirected || answer.status === 404) location.reload();
    if (answer.ok) show(new DOMParser().parseFromString(await answer.text(), "text/html"));
    isRead = answer.ok;
  } catch {
    // The connection is away for a while.
  }
  waiting = 0;
  if (progress().dataset.finished === "yes") stop();
  else if (!isRead || events.readyState === EventSource.CLOSED) soon(POLL_MS);
}

/** Put in what is different; what is the same stays, and with it the focus. */
function show(page) {
  for (const now of page.querySelectorAll("[data-live]")) {
    const shown = document.getElementById(now.id);
    if (!shown) document.getElementById("pictures").append(now);
    else if (shown.innerHTML !== now.innerHTML) {
      const name = shown.contains(document.activeElement) && document.activeElement.textContent;
      shown.replaceChildren(...now.childNodes);
      shown.dataset.finished = now.dataset.finished ?? "";
      if (name) [...shown.querySelectorAll("a, button")].find((each) => each.textContent === name)?.focus();
    }
  }
  for (const shown of document.querySelectorAll("#pictures > li")) {
    if (!page.getElementById(shown.id)) shown.remove();
  }
  if (progress().dataset.finished === "yes") {
    document.getElementById("announced").textContent = "All pictures are done.";
  }
}

function stop() {
  events.close();
  clearTimeout(waiting);
}
