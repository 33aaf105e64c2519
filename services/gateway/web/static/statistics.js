// Draws what /v1/statistics says. Colours are those of the page, and never alone: bars are striped
// or dotted, lines dashed, and every number stands in a table as well.

import { ask } from "./api.js";
import "./vendor/chart.umd.min.js";

const { Chart } = globalThis;
const place = document.querySelector("[data-statistics]");
const names = JSON.parse(place.dataset.names);

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const percent = (share) => (share === null ? null : 100 * share);
const words = (name) => name.charAt(0).toUpperCase() + name.slice(1).replaceAll("_", " ");

/** Break a long name into lines, which is how charts take it. */
function lines(name) {
  const broken = [""];
  for (const word of name.split(" ")) {
    const longer = `${broken.at(-1)} ${word}`.trim();
    if (longer.length > 24 && broken.at(-1)) broken.push(word);
    else broken[broken.length - 1] = longer;
  }
  return broken;
}

/** Fill bars so that they differ without colour too. */
function filled(name, marks) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 8;
  const pen = tile.getContext("2d");
  pen.fillStyle = colour(name);
  pen.fillRect(0, 0, 8, 8);
  pen.fillStyle = pen.strokeStyle = colour("ground");
  if (marks === "stripes") {
    pen.lineWidth = 2;
    pen.beginPath();
    for (const x of [-4, 4, 12]) { pen.moveTo(x - 4, 8); pen.lineTo(x + 4, 0); }
    pen.stroke();
  } else if (marks === "dots") {
    pen.fillRect(1, 1, 2, 2);
    pen.fillRect(5, 5, 2, 2);
  }
  return pen.createPattern(tile, "repeat");
}

const bars = (label, data, name, marks) => ({
  label,
  data,
  backgroundColor: marks ? filled(name, marks) : colour(name),
  borderColor: colour(name),
  borderWidth: 1,
});

const line = (label, data, name, { dash = [], point = "circle" } = {}) => ({
  label,
  data,
  borderColor: colour(name),
  backgroundColor: colour(name),
  borderDash: dash,
  pointStyle: point,
  pointRadius: 3,
  borderWidth: 2,
  spanGaps: false,
});

const UNNAMED = { unnamed: true };

/** A rate with the band in which it may lie. */
function rates(periods, name) {
  const edge = { dash: [2, 4], point: false };
  return {
    type: "line",
    datasets: [
      line("Rate, with its 95\u00a0% interval", periods.map((each) => percent(each[name].rate)), "succeeded"),
      { ...line("Low (95\u00a0%)", periods.map((each) => percent(each[name].low)), "succeeded", edge), borderWidth: 1, ...UNNAMED },
      { ...line("High (95\u00a0%)", periods.map((each) => percent(each[name].high)), "succeeded", edge), borderWidth: 1, fill: "-1", backgroundColor: `${colour("succeeded")}2e`, ...UNNAMED },
    ],
    unit: "%",
    most: 100,
  };
}

/** What some things are counted as, lying down, since their names are long. */
function counted(counts) {
  const keys = Object.keys(counts);
  return {
    type: "bar",
    labels: keys.map((key) => lines(key in names ? `${names[key]} (${key})` : words(key))),
    datasets: [bars("Analyses", keys.map((key) => counts[key]), "succeeded")],
    lying: true,
  };
}

const DRAWN = {
  status: ({ periods }) => ({
    type: "bar",
    stacked: true,
    datasets: [
      bars("Succeeded", periods.map((each) => each.status.succeeded), "succeeded"),
      bars("Failed", periods.map((each) => each.status.failed), "failed", "stripes"),
      bars("On their way", periods.map((each) => each.status.queued + each.status.running), "waiting", "dots"),
    ],
  }),
  labels: ({ whole }) => counted(whole.labels),
  suspicious: ({ periods }) => rates(periods, "suspicious"),
  cannot_assess: ({ whole }) => counted(whole.cannot_assess_reasons),
  agreement: ({ periods }) => rates(periods, "agreement"),
  latency: ({ periods }) => ({
    type: "line",
    datasets: [
      line("Median", periods.map((each) => each.latency.median_ms), "succeeded"),
      line("95\u00a0% within", periods.map((each) => each.latency.p95_ms), "failed", { dash: [6, 4], point: "triangle" }),
      // A replica of before, which may answer while others are replaced, does not tell these.
      line("Waiting, 95\u00a0% within", periods.map((each) => each.queue_time?.p95_ms ?? null), "waiting", { dash: [2, 3], point: "rect" }),
      line("Running, 95\u00a0% within", periods.map((each) => each.run_time?.p95_ms ?? null), "faint", { dash: [10, 4, 2, 4], point: "cross" }),
    ],
    unit: "ms",
  }),
};

function axis(title, more = {}) {
  return {
    beginAtZero: true,
    grid: { color: colour("grid") },
    ticks: { color: colour("faint"), precision: 0 },
    title: { display: Boolean(title), text: title, color: colour("faint") },
    ...more,
  };
}

function draw(canvas, found) {
  const { type, datasets, unit, most, stacked, lying, labels } = DRAWN[canvas.dataset.series](found);
  const figures = axis(unit ?? "Analyses", { stacked, max: most });
  const along = axis("", { stacked, ticks: { color: colour("faint"), autoSkip: !lying } });
  canvas.parentElement.hidden = false;
  const chart = new Chart(canvas, {
    type,
    data: { labels: labels ?? found.periods.map((each) => each.since), datasets },
    options: {
      animation: false,
      maintainAspectRatio: false,
      indexAxis: lying ? "y" : "x",
      interaction: { mode: "index", intersect: false, axis: lying ? "y" : "x" },
      scales: lying ? { x: figures, y: along } : { x: along, y: figures },
      plugins: {
        legend: {
          display: datasets.length > 1,
          labels: {
            color: colour("ink"),
            usePointStyle: type === "line",
            boxHeight: 8,
            filter: ({ datasetIndex }) => !datasets[datasetIndex].unnamed,
          },
        },
      },
    },
  });
  canvas.onkeydown = (event) => read(chart, event);
}

/** Go through a chart by arrow keys, and say what is there. */
function read(chart, event) {
  const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
  const { labels, datasets } = chart.data;
  if (!step || !labels.length) return;
  event.preventDefault();
  const last = chart.getActiveElements()[0]?.index ?? (step > 0 ? -1 : labels.length);
  const index = Math.min(labels.length - 1, Math.max(0, last + step));
  const active = datasets.map((_, datasetIndex) => ({ datasetIndex, index }));
  chart.setActiveElements(active);
  chart.tooltip.setActiveElements(active, { x: 0, y: 0 });
  chart.update("none");
  const told = datasets.map((each) => `${each.label} ${each.data[index] === null ? "none" : Math.round(10 * each.data[index]) / 10}`);
  document.querySelector(`[data-reading="${chart.canvas.dataset.series}"]`).textContent = `${[labels[index]].flat().join(" ")}: ${told.join(", ")}`;
}

function drawAll(found) {
  for (const canvas of place.querySelectorAll("canvas")) {
    Chart.getChart(canvas)?.destroy();
    draw(canvas, found);
  }
  place.dataset.drawn = "yes";
}

try {
  const found = await ask("GET", `/v1/statistics?${place.dataset.statistics}`);
  drawAll(found);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawAll(found));
} catch (problem) {
  // The numbers stand in the tables.
  place.dataset.drawn = problem.message;
}
