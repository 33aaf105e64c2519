// The page of a result: layers over the picture, zoom, and news of the analysis.

import { follow } from "./result_live.js";
import { Layers } from "./result_layers.js";
import { View } from "./result_view.js";

const page = document.querySelector(".result");
const root = document.getElementById("viewer");

if (root) {
  const tools = root.querySelector(".tools");
  const view = new View(root, tools);
  const layers = new Layers(root, tools);
  layers.addEventListener("change", () => view.show());
  for (const each of tools.querySelectorAll(":disabled")) each.disabled = false;
  layers.load();
}

follow(page);
