// Lets browsers install the pages as an app. Without it everything works as well.

if ("serviceWorker" in navigator) {
  const worker = new URL("service-worker.js", import.meta.url);
  navigator.serviceWorker.register(worker, { scope: "/" }).catch(() => {
    // A browser that does not want one, or a connection that is gone: the pages need none.
  });
}
