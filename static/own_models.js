// A person's own model: its file, opened or dropped, goes to the server; its card is changed here and kept there.

const LONG_MS = 1000; // an answer that takes longer is that of a model that is opened first

/** Ask the API; a refusal's sentence comes as an Error. */
async function ask(path, options) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Error("The server does not answer. Nothing is lost here; try again when it is back.");
  }
  if (answer.ok) return answer.status === 204 ? null : answer.json();
  const problem = await answer.json().catch(() => ({}));
  throw new Error(problem.detail ?? `The server said no (${answer.status}).`);
}

const modelPath = (name) => `/api/models/${encodeURIComponent(name)}`;

export const isModelFile = (file) => /\.(keras|h5|hdf5)$/i.test(file?.name ?? "");

/**
 * Open models from the page.
 * @param {HTMLFormElement} form with the choice of a model
 * @param {HTMLElement} errors where a refusal is said, until another model is opened or chosen
 * @returns {(file: File) => Promise<void>} opens a file
 */
export function addModelOpening(form, errors) {
  const picker = document.getElementById("own-model");

  async function open(file) {
    const body = new FormData();
    body.set("model", file);
    form.classList.add("is-opening-model");
    errors.replaceChildren();
    try {
      const { name } = await ask("/api/models", { method: "POST", body });
      const query = new URLSearchParams({ model: name });
      location.assign(`/?${query}${location.hash}`);
    } catch (error) {
      say(errors, error);
    } finally {
      form.classList.remove("is-opening-model");
    }
  }

  // Each request has its own, since the next one may leave before the last one is done with.
  form.addEventListener("htmx:before:request", ({ detail }) => {
    detail.ctx.patience = setTimeout(() => form.classList.add("waits-long"), LONG_MS);
  });
  form.addEventListener("htmx:finally:request", ({ detail }) => {
    clearTimeout(detail.ctx.patience);
    form.classList.remove("waits-long");
  });

  picker?.addEventListener("change", () => {
    const [file] = picker.files;
    picker.value = "";
    if (file) open(file);
  });
  form.elements.model.addEventListener("change", () => errors.replaceChildren());
  return open;
}

/**
 * Keep what a person says of a model, and show at once what the network sees then.
 * @param {HTMLElement} place where the fragment with the card is
 * @param {() => void} send asks for the results again
 */
export function addCardEditing(place, send) {
  place.addEventListener("change", (event) => keep(event.target.form));
  place.addEventListener("submit", (event) => event.preventDefault());
  place.addEventListener("click", async (event) => {
    const { low, high } = event.target.dataset;
    const editor = event.target.closest("[data-model]");
    if (low !== undefined) {
      const { form } = event.target;
      form.elements.low.value = low;
      form.elements.high.value = high;
      keep(form);
    } else if (event.target.matches("[data-forget]")) {
      try {
        await ask(modelPath(editor.dataset.model), { method: "DELETE" });
        location.assign(`/${location.hash}`);
      } catch (error) {
        say(editor.querySelector(".errors"), error);
      }
    }
  });

  async function keep(form) {
    const path = `${modelPath(form.closest("[data-model]").dataset.model)}/card`;
    const errors = form.querySelector(".errors");
    try {
      const card = { ...(await ask(path)), ...readCard(form.elements) };
      const headers = { "Content-Type": "application/json" };
      await ask(path, { method: "PUT", headers, body: JSON.stringify(card) });
      errors.replaceChildren();
      send();
    } catch (error) {
      say(errors, error);
    }
  }
}

/** The fields of a card that the form holds. */
function readCard({ fit, ink, low, high, mean, std, channel_order, answer, classes }) {
  const card = {
    fit: fit.value,
    ink: ink.value,
    value_range: [Number(low.value), Number(high.value)],
    mean: numbers(mean.value),
    std: numbers(std.value),
  };
  if (channel_order) card.channel_order = channel_order.value;
  if (answer) card.answer = answer.value;
  if (classes) card.classes = classes.value.split("\n").map((line) => line.trim()).filter(Boolean);
  return card;
}

/** The numbers in a text; null for none. What is no number becomes null, which the server refuses with a sentence. */
function numbers(text) {
  const parts = text.split(/[\s,;]+/).filter(Boolean);
  return parts.length ? parts.map(Number) : null;
}

function say(place, error) {
  const sentence = document.createElement("p");
  sentence.textContent = error.message;
  place.replaceChildren(sentence);
}
