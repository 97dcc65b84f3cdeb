// The form that declares what a refused model's Lambda layers compute.

import { element } from "./dom.js";
import { readNumbers } from "./numbers.js";

const IMAGENET_MEANS = [103.939, 116.779, 123.68]; // of blue, green and red, as preprocess_input of VGG16 takes off

/** A declaration as the API takes it, out of a row's fields. A number for each channel may be given. */
export function readDeclaration({ does, scale, offset, height, width }) {
  const perChannel = (text) => {
    const numbers = readNumbers(text);
    if (!numbers?.every(Number.isFinite)) return text; // the server refuses it, where null would declare nothing
    return numbers.length === 1 ? numbers[0] : numbers;
  };
  if (does === "scale") return { scale: perChannel(scale), offset: perChannel(offset) };
  if (does === "reverse") return { channels: "reversed" };
  if (does === "caffe") return { channels: "reversed", offset: IMAGENET_MEANS.map((mean) => -mean) };
  if (does === "resize") return { layer: "Resizing", settings: { height: Number(height), width: Number(width) } };
  return { layer: does === "normalize" ? "UnitNormalization" : "Identity" };
}

/**
 * Show the form for these Lambda layers, and hand over what is declared of them.
 * @param {string[]} names
 * @param {(lambdas: object) => void} open
 */
export function askForLambdas(names, open) {
  const form = element("lambdas");
  const rows = names.map(addRow);
  element("lambda-rows").replaceChildren(...rows);
  form.hidden = false;
  form.onsubmit = (event) => {
    event.preventDefault();
    open(Object.fromEntries(rows.map((row, index) => [names[index], readRow(row)])));
  };
  form.scrollIntoView({ block: "nearest" });
}

export function hideLambdas() {
  const form = element("lambdas"); // only where the server takes models
  if (form) form.hidden = true;
}

function addRow(name) {
  const row = element("lambda-row").content.cloneNode(true).firstElementChild;
  row.querySelector("legend").textContent = name;
  const show = () => {
    for (const part of row.querySelectorAll("[data-of]")) part.hidden = part.dataset.of !== row.elements.does.value;
  };
  row.addEventListener("change", show);
  row.addEventListener("click", ({ target }) => {
    if (target.dataset.scale === undefined) return;
    row.elements.scale.value = target.dataset.scale;
    row.elements.offset.value = target.dataset.offset;
  });
  return row;
}

function readRow({ elements }) {
  return readDeclaration(Object.fromEntries([...elements].map(({ name, value }) => [name, value])));
}
