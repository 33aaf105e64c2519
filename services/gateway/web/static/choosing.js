// Two analyses of a list are compared: says how many are chosen, so that nobody is sent away for it.

const TO_COMPARE = 2;

for (const form of document.querySelectorAll("form[data-choosing]")) {
  const said = form.querySelector("[role=status]");
  const chosen = () => form.querySelectorAll("input[name=of]:checked").length;
  const say = () => {
    const count = chosen();
    const missing = count < TO_COMPARE ? "choose one more" : "two can be compared";
    said.textContent = count === 0 || count === TO_COMPARE ? "" : `${count} chosen: ${missing}.`;
  };
  form.addEventListener("change", say);
  form.addEventListener("submit", (event) => {
    if (chosen() === TO_COMPARE) return;
    event.preventDefault();
    if (chosen()) say();
    else said.textContent = "Choose two analyses first.";
  });
  // Browsers give back what was chosen to whoever comes back.
  addEventListener("pageshow", say);
}
