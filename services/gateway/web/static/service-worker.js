// Keeps styles, scripts, icons and one page that says that there is no connection; nothing else.
// Records, pictures, reports and pages about them are asked for anew each time and never kept.

const HERE = new URL("./", self.location);
const OFFLINE = "/offline";
const KEPT = `dermserve ${HERE.pathname}`;
const NEEDED = ["base.css", "icon.svg", "app.js"].map((name) => new URL(name, HERE).pathname);

self.addEventListener("install", (event) => {
  event.waitUntil(keep());
  self.skipWaiting();
});

self.addEventListener("activate", (event) => {
  event.waitUntil(forgetFormer().then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return;
  if (request.mode === "navigate") {
    event.respondWith(fetch(request).catch(() => caches.match(OFFLINE)));
  } else if (pathname.startsWith(HERE.pathname)) {
    event.respondWith(asset(request));
  }
});

/** Keep what the page for no connection needs; asked for without a cookie, it knows nobody. */
async function keep() {
  const cache = await caches.open(KEPT);
  await cache.add(new Request(OFFLINE, { credentials: "omit" }));
  await Promise.all(NEEDED.map((path) => asset(new Request(path, { credentials: "omit" }))));
}

/**
 * Assets of this version never change: what is kept is as good as what is asked for. While gateways
 * are upgraded one after the other, one of another version may answer; that is good for now only.
 */
async function asset(request) {
  const kept = await caches.match(request);
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok && answer.headers.get("Cache-Control")?.includes("immutable")) {
    const cache = await caches.open(KEPT);
    await cache.put(request, answer.clone());
  }
  return answer;
}

async function forgetFormer() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name !== KEPT).map((name) => caches.delete(name)));
}
