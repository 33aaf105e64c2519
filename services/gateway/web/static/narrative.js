// Puts the text of a machine in the place of the template's, once it is there.

import { ask } from "./api.js";

const place = document.querySelector("[data-narrative]");
try {
  const told = await ask("GET", `/v1/analyses/${place.dataset.narrative}/narrative?language=${document.documentElement.lang}`);
  if (told.source === "machine") {
    place.querySelector("[data-text]").textContent = told.text.replaceAll(/(\d) %/g, "$1\u00a0%");
    place.querySelector("[data-mark]").textContent = told.mark;
  }
} catch {
  // The template's text is there and says as much.
}
