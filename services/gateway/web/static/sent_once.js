// A form that is on its way is not sent a second time: a double click means one.

const ON_ITS_WAY_MS = 10_000;

for (const form of document.querySelectorAll("form[method=post]")) {
  let sentAt = -Infinity;
  form.addEventListener("submit", (event) => {
    if (event.timeStamp - sentAt < ON_ITS_WAY_MS) event.preventDefault();
    else sentAt = event.timeStamp;
  });
}
