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
