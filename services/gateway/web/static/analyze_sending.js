// Sends one picture, with progress, which fetch cannot tell, and again for as long as that may help.

import { OF_USER, Problem } from "./api.js";

const LONGEST_WAIT_S = 30;
const LONGEST_SILENCE_S = 30;

/**
 * Send a picture to be analyzed in its turn: from the answer on it is not lost.
 *
 * @param {FormData} form the picture and what is said of it.
 * @param {string} key makes it safe to send again.
 * @param {(share: number) => void} told how much is sent, 0..1.
 * @returns {Promise<object>} the analysis, as it is by now.
 * @throws {Problem} it was refused, or nobody answered.
 */
export function send(form, key, told) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/v1/analyses");
    request.responseType = "json";
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("Prefer", "respond-async");
    request.setRequestHeader("Idempotency-Key", key);
    for (const [name, value] of Object.entries(OF_USER)) request.setRequestHeader(name, value);
    const heard = watched(request);
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      heard();
      told(total ? loaded / total : 0);
    });
    request.addEventListener("load", () => (request.status < 300 ? resolve(request.response) : reject(problemOf(request))));
    request.addEventListener("error", () => reject(new Problem(0, "The gateway cannot be reached.")));
    request.addEventListener("abort", () => reject(new Problem(0, "The gateway does not answer.")));
    request.send(form);
  });
}

/** Give a request up when nothing is heard of it for long; return what is told whenever there is. */
function watched(request) {
  let timer;
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => request.abort(), LONGEST_SILENCE_S * 1000);
  };
  request.addEventListener("loadend", () => clearTimeout(timer));
  heard();
  return heard;
}

/** Say how long to wait before another try, in seconds; null when there is no use in one. */
export function waitBefore(problem, tries) {
  const isInWork = problem.type.endsWith("#in-progress");
  if (!problem.isPassing && !isInWork) return null;
  const doubled = Math.min(LONGEST_WAIT_S, 2 ** tries);
  // Not all at once, who were cut off at once.
  return Math.max(problem.retryAfter, doubled * (0.5 + Math.random() / 2));
}

/** Wait, but not longer than until there is a network again. */
export function pause(seconds) {
  return new Promise((resolve) => {
    const over = () => {
      clearTimeout(timer);
      removeEventListener("online", over);
      resolve();
    };
    const timer = setTimeout(over, seconds * 1000);
    addEventListener("online", over);
  });
}

function problemOf(request) {
  const { detail, type } = request.response ?? {};
  const retryAfter = Number(request.getResponseHeader("Retry-After")) || 0;
  return new Problem(request.status, detail ?? `The gateway answered with ${request.status}.`, type, retryAfter);
}
