// Models of the user's own: a file that is opened goes to the server, where its card is kept and changed.

import { element, showMessage } from "./dom.js";

const LONG_MS = 1000; // an answer that takes longer is that of a model that has to be opened first

export const isModelFile = (file) => /\.(keras|h5|hdf5|zip)$/i.test(file.name);

/** Ask the API. Throws an Error with the message of a refusal. */
async function ask(path, options) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Error("The server does not answer. Nothing is lost here; try again when it is back.");
  }
  if (answer.ok) return answer.status === 204 ? null : answer.json();
  const problem = await answer.json().catch(() => ({}));
  throw new Error(problem.detail ?? `The server refused this (${answer.status}).`);
}

const modelPath = (name) => `/api/models/${encodeURIComponent(name)}`;

/**
 * Let users open models from the page.
 * @param {HTMLFormElement} form with the choice of a model
 * @param {HTMLElement} errors where a refusal is shown, until another model is opened or chosen
 * @returns {(file: File) => Promise<void>} opens a file
 */
export function addModelOpening(form, errors) {
  async function open(file) {
    const body = new FormData();
    body.set("model", file);
    form.classList.add("is-opening-model");
    errors.replaceChildren();
    try {
      const { name } = await ask("/api/models", { method: "POST", body });
      location.assign(`/?${new URLSearchParams({ model: name })}${location.hash}`);
    } catch (error) {
      showMessage(errors, error.message);
    } finally {
      form.classList.remove("is-opening-model");
    }
  }

  const picker = element("own-model"); // only where the server takes models
  picker?.addEventListener("change", () => {
    const [file] = picker.files;
    picker.value = "";
    if (file) open(file);
  });
  form.elements.model.addEventListener("change", () => errors.replaceChildren());
  showLongWaits(form);
  return open;
}

function showLongWaits(form) {
  // Each request has its own timer, because the next one may leave before this one is done.
  form.addEventListener("htmx:before:request", ({ detail }) => {
    detail.ctx.patience = setTimeout(() => form.classList.add("is-waiting"), LONG_MS);
  });
  form.addEventListener("htmx:finally:request", ({ detail }) => {
    clearTimeout(detail.ctx.patience);
    form.classList.remove("is-waiting");
  });
}

/**
 * Keep every change of a model's card, and show at once what the network sees then.
 * @param {HTMLElement} place holds the fragment with the card
 * @param {() => void} send asks for the results again
 */
export function addCardEditing(place, send) {
  place.addEventListener("change", (event) => keepCard(event.target.form, send));
  place.addEventListener("submit", (event) => event.preventDefault());
  place.addEventListener("click", ({ target }) => {
    if (target.dataset.low !== undefined) {
      target.form.elements.low.value = target.dataset.low;
      target.form.elements.high.value = target.dataset.high;
      keepCard(target.form, send);
    } else if (target.matches("[data-forget]")) forget(target.closest("[data-model]"));
  });
}

async function keepCard(form, send) {
  const path = `${modelPath(form.closest("[data-model]").dataset.model)}/card`;
  const errors = form.querySelector(".alert");
  try {
    const card = { ...(await ask(path)), ...readCard(form.elements) };
    const headers = { "Content-Type": "application/json" };
    await ask(path, { method: "PUT", headers, body: JSON.stringify(card) });
    errors.replaceChildren();
    send();
  } catch (error) {
    showMessage(errors, error.message);
  }
}

async function forget(card) {
  try {
    await ask(modelPath(card.dataset.model), { method: "DELETE" });
    location.assign(`/${location.hash}`);
  } catch (error) {
    showMessage(card.querySelector(".alert"), error.message);
  }
}

/** The fields of a card that the form holds. */
function readCard({ fit, ink, low, high, mean, std, channel_order, answer, classes }) {
  const card = {
    fit: fit.value,
    ink: ink.value,
    value_range: [Number(low.value), Number(high.value)],
    mean: readNumbers(mean.value),
    std: readNumbers(std.value),
  };
  if (channel_order) card.channel_order = channel_order.value;
  if (answer) card.answer = answer.value;
  if (classes) card.classes = readLines(classes.value);
  return card;
}

/** The numbers in a text, or null for none. The server refuses what is not a number. */
export function readNumbers(text) {
  const parts = text.split(/[\s,;]+/).filter(Boolean);
  return parts.length ? parts.map(Number) : null;
}

const readLines = (text) =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
