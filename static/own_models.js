// Models of the user's own: a file that is opened goes to the server, where its card is kept and changed.

import { element, showMessage } from "./dom.js";
import { askForLambdas, hideLambdas } from "./lambdas.js";
import { readNumbers } from "./numbers.js";

const LONG_MS = 1000; // an answer that takes longer is that of a model that has to be opened first

/** Ask the API. Throws an Error with the message of a refusal, and the Lambda layers that it names, if any. */
async function ask(path, options) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Error("The server does not answer. Nothing is lost here; try again when it is back.");
  }
  if (answer.ok) return answer.status === 204 ? null : answer.json();
  const problem = await answer.json().catch(() => ({}));
  const refusal = new Error(problem.detail ?? `The server refused this (${answer.status}).`);
  throw Object.assign(refusal, { lambdas: problem.lambdas });
}

const modelPath = (name) => `/api/models/${encodeURIComponent(name)}`;

/**
 * Let users open models from the page.
 * @param {HTMLFormElement} form with the choice of a model
 * @param {HTMLElement} errors where a refusal is shown, until another model is opened or chosen
 * @returns {(file: File) => Promise<void>} opens a file
 */
export function addModelOpening(form, errors) {
  async function open(file, lambdas = null, refusals = errors) {
    const body = new FormData();
    body.set("model", file);
    if (lambdas) body.set("lambdas", JSON.stringify(lambdas));
    else hideLambdas();
    form.classList.add("is-opening-model");
    refusals.replaceChildren();
    try {
      const { name } = await ask("/api/models", { method: "POST", body });
      location.assign(`/?${new URLSearchParams({ model: name })}${location.hash}`);
    } catch (error) {
      showMessage(refusals, error.message);
      if (error.lambdas && !lambdas) declare(file, error.lambdas);
    } finally {
      form.classList.remove("is-opening-model");
    }
  }

  /** Keep the file, and open it again with what is declared of its Lambda layers. */
  function declare(file, names) {
    const refusals = element("lambdas").querySelector(".alert");
    refusals.replaceChildren();
    askForLambdas(names, (lambdas) => open(file, lambdas, refusals));
  }

  const picker = element("own-model"); // only where the server takes models
  picker?.addEventListener("change", () => {
    const [file] = picker.files;
    picker.value = "";
    if (file) open(file);
  });
  form.elements.model.addEventListener("change", () => {
    errors.replaceChildren();
    hideLambdas();
  });
  showLongWaits(form);
  return (file) => open(file);
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

const readLines = (text) =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
