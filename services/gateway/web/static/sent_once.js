// A form that is on its way is not sent a second time: a double click means one.

const ON_ITS_WAY_MS = 10_000;

for (const form of document.querySelectorAll("form[method=post]")) {
  let waiting;
  const arrived = () => {
    clearTimeout(waiting);
    form.removeAttribute("aria-busy");
  };
  form.addEventListener("submit", (event) => {
    if (form.hasAttribute("aria-busy")) {
      event.preventDefault();
      return;
    }
    form.setAttribute("aria-busy", "true");
    // Nothing says that a navigation was broken off.
    waiting = setTimeout(arrived, ON_ITS_WAY_MS);
  });
  // Whoever comes back to the page may mean it again; its own arrival ends nothing.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) arrived();
  });
}
