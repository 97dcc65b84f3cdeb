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
    const { model, card_of: shown } = form.elements;
    // A slow answer of the model that is shown is no opening.
    if (model.value === shown?.value) return;
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
  place.addEventListener("change", ({ target }) => keepCard(target.form, target.name, send));
  place.addEventListener("submit", (event) => event.preventDefault());
  place.addEventListener("click", ({ target }) => {
    if (target.dataset.low !== undefined) {
      target.form.elements.low.value = target.dataset.low;
      target.form.elements.high.value = target.dataset.high;
      keepCard(target.form, "low", send);
    } else if (target.dataset.classes !== undefined) {
      target.form.elements.classes.value = target.dataset.classes;
      keepCard(target.form, "classes", send);
    } else if (target.matches("[data-forget]")) forget(target.closest("[data-model]"));
  });
}

/** Keep the field of a card that a control of its form holds. */
const keepCard = (form, control, send) => changeCard(form.parentElement, readField(form.elements, control), send);

/**
 * Change some fields of a model's card.
 * @param {HTMLElement} place names the model, and has a place for a refusal
 */
async function changeCard(place, fields, send) {
  const errors = place.querySelector(".alert");
  try {
    const headers = { "Content-Type": "application/json" };
    await ask(`${modelPath(place.dataset.model)}/card`, { method: "PUT", headers, body: JSON.stringify(fields) });
    errors.replaceChildren();
    send();
  } catch (error) {
    showMessage(errors, error.message);
  }
}

/**
 * Let users take the reading that the row above the card offers, and go to what nobody has said.
 * @param {HTMLElement} row holds the fragment with the row
 * @param {HTMLElement} card holds the fragment with the card
 * @param {HTMLFormElement} form asks for the results, and says which card the page has
 * @param {() => void} send asks for the results again
 */
export function addReadingChoice(row, card, form, send) {
  row.addEventListener("click", ({ target }) => {
    if (target.dataset.use) {
      changeCard(target.closest("[data-model]"), JSON.parse(target.dataset.use), () => {
        form.elements.card_of.value = ""; // so that the card is sent as it is then
        send();
      });
    } else if (target.dataset.say) {
      card.querySelector("details").open = true;
      card.querySelector(`[name=${CONTROLS[target.dataset.say]}]`).focus();
    }
  });
}

// The control for each field that the row asks for.
const CONTROLS = { classes: "classes", value_range: "low", fit: "fit" };

async function forget(card) {
  try {
    await ask(modelPath(card.dataset.model), { method: "DELETE" });
    location.assign(`/${location.hash}`);
  } catch (error) {
    showMessage(card.querySelector(".alert"), error.message);
  }
}

/**
 * The field of a card that a control holds, alone or with another one.
 * @param {Object<string, {value: string}>} controls by name
 * @param {string} name of the control
 */
export function readField(controls, name) {
  const { value } = controls[name];
  if (name === "low" || name === "high") return { value_range: [controls.low, controls.high].map(readNumber) };
  if (name === "mean" || name === "std") return { [name]: readNumbers(value) };
  if (name === "transposed") return { transposed: value === "true" };
  return { [name]: name === "classes" ? readLines(value) : value };
}

const readNumber = ({ value }) => Number(value);

const readLines = (text) =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
