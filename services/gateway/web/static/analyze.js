// The page where pictures are sent: from a folder, a drop, the clipboard or the camera.

import { Batch } from "./analyze_batch.js";

const OF_THE_FORM = new Set(["image", "key"]);

const form = document.getElementById("analyze");
const chooser = document.getElementById("image");
const drop = document.getElementById("drop");
const list = document.getElementById("list");
const summary = document.getElementById("summary");
const outcomes = document.getElementById("outcomes");
const expired = document.getElementById("expired");
const { maxBytes, maxPixels, maxSide, username } = form.dataset;
const limits = { maxBytes: Number(maxBytes), maxPixels: Number(maxPixels), maxSide: Number(maxSide) };
const choose = document.getElementById("choose");
const batch = new Batch(list, limits, username, choose, show);

function show() {
  const ready = batch.count("waiting");
  const chosen = batch.count("checking", "waiting");
  const unfinished = batch.count("checking", "expected", "queued", "sending", "analyzing");
  const [done, refused] = [batch.count("done"), batch.count("refused")];
  document.getElementById("send").textContent = chosen > 1 ? `Analyze ${chosen} pictures` : "Analyze";
  document.getElementById("of-all").hidden = chosen < 2;
  form.classList.toggle("has-pictures", ready + unfinished + done + refused > 0);
  expired.hidden = !batch.heldBy;
  const byOther = Boolean(batch.heldBy?.isOfSomebodyElse);
  document.getElementById("signed-out").hidden = byOther;
  document.getElementById("somebody-else").hidden = !byOther;
  // What was said of these may not hold for the next ones.
  document.getElementById("afresh").hidden = !done || ready + unfinished > 0;
  const counts = { ready, "on their way": unfinished, done, "not analyzed": refused };
  say(summary, listed(counts));
  // Said once, when all have come: until then it would be read out with each.
  say(outcomes, done > 1 && !ready && !unfinished ? listed(batch.outcomes()) : "");
}

function listed(counts) {
  return Object.entries(counts).filter(([, count]) => count).map(([what, count]) => `${count} ${what}`).join(", ");
}

function say(place, sentence) {
  // The same again would be read out again.
  if (place.textContent !== sentence) place.textContent = sentence;
}

function add(files) {
  if (files.length) batch.add(files);
}

function begin() {
  form.classList.add("scripted");
  // Without scripts the picture is sent last, after all that is said of it.
  form.prepend(document.querySelector(".pictures"));
  chooser.multiple = true;
  chooser.required = false;
  for (const each of document.querySelectorAll("[data-scripted]")) each.hidden = false;
  const camera = document.getElementById("camera");
  choose.addEventListener("click", () => chooser.click());
  document.getElementById("photograph").addEventListener("click", () => camera.click());
  for (const input of [chooser, camera]) {
    input.addEventListener("change", () => {
      add(Array.from(input.files));
      input.value = "";
    });
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (batch.count("checking", "waiting")) start();
    else if (!batch.count("expected", "queued", "sending")) say(summary, "Choose a picture first.");
  });
  document.getElementById("go-on").addEventListener("click", goOn);
  addEventListener("beforeunload", (event) => {
    if (batch.count("checking", "expected", "waiting", "queued", "sending")) event.preventDefault();
  });
}

function start() {
  batch.start(said());
  if (list.getBoundingClientRect().top < 0) drop.scrollIntoView();
}

/** Return what the form says of the pictures. */
function said() {
  return Array.from(new FormData(form)).filter(([name, text]) => !OF_THE_FORM.has(name) && text.trim());
}

async function goOn() {
  const why = document.getElementById("still-expired");
  why.textContent = "";
  try {
    await batch.goOn();
  } catch (problem) {
    why.textContent = problem.isSignedOut ? "You are still signed out." : problem.message;
  }
}

function takeDropsAndPastes() {
  const over = (event, is) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    drop.classList.toggle("over", is);
  };
  addEventListener("dragover", (event) => over(event, true));
  addEventListener("dragleave", (event) => event.relatedTarget || over(event, false));
  addEventListener("drop", (event) => {
    over(event, false);
    add(Array.from(event.dataTransfer?.files ?? []));
  });
  addEventListener("paste", (event) => {
    const files = Array.from(event.clipboardData?.files ?? []);
    if (files.length) event.preventDefault();
    add(files);
  });
}

/** Whoever is chosen is not typed as well, and has only their own lesions. */
function tieChoices() {
  const [patient, lesion] = ["patient", "lesion"].map((id) => document.getElementById(id));
  if (!patient) return;
  const tie = () => {
    document.getElementById("typed-patient").disabled = Boolean(patient.value);
    for (const group of lesion?.querySelectorAll("optgroup") ?? []) {
      group.hidden = group.disabled = Boolean(patient.value) && group.dataset.patient !== patient.value;
    }
    const chosen = lesion?.selectedOptions[0]?.parentElement;
    if (chosen?.disabled) lesion.value = "";
  };
  patient.addEventListener("change", tie);
  lesion?.addEventListener("change", () => {
    patient.value = lesion.selectedOptions[0]?.parentElement.dataset.patient ?? patient.value;
    tie();
  });
  tie();
}

begin();
takeDropsAndPastes();
tieChoices();
