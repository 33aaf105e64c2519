// What every page does: it knows how much of the window is taken by what sticks to its bottom, and
// browsers can install it as an app. Without it everything works as well.

const notice = document.querySelector(".notice");
const sticking = [notice, ...document.querySelectorAll(".sticks")];
const measured = new ResizeObserver(() => {
  const { style } = document.documentElement;
  const stuck = sticking.reduce((sum, each) => sum + each.offsetHeight, 0);
  // Lines are added where names are long or letters large, and nothing may lie under them.
  style.setProperty("--notice", `${notice.offsetHeight}px`);
  style.setProperty("--stuck", `${stuck}px`);
});
for (const each of sticking) measured.observe(each);

if ("serviceWorker" in navigator) {
  const worker = new URL("service-worker.js", import.meta.url);
  navigator.serviceWorker.register(worker, { scope: "/" }).catch(() => {
    // A browser that does not want one, or a connection that is gone: the pages need none.
  });
}
