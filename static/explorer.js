// The explorer: the pad and the form of connectPad, the list of layers, the lens, and what only this page's switches need.

import { connectPad } from "./drawing.js";
import { addLayerList } from "./layers.js";
import { addLens } from "./lens.js";
import { addMicroscope } from "./microscope.js";
import { addCardEditing, addModelOpening } from "./own_models.js";

const PHONE = matchMedia("(max-width: 700px)");

const element = (id) => document.getElementById(id);
const form = element("explorer");
const layers = element("layers");

// Fewer maps a row where the page is narrow
form.elements.columns.value = PHONE.matches ? 8 : 16;

// Another model starts as it was trained, not with the pooling that was chosen for the last one. This comes before
// the address is written, which would keep that pooling.
form.elements.model.addEventListener("change", () => {
  for (const radio of form.querySelectorAll("#pooling input")) radio.checked = false;
});

const openModel = addModelOpening(form, element("model-errors"));
const { send, save } = connectPad(form, [layers, element("answer")], openModel);
addCardEditing(element("card"), send);

addLayerList(form, layers, element("contents"));
addMicroscope(form, layers, { send, save });

PHONE.addEventListener("change", () => {
  form.elements.columns.value = PHONE.matches ? 8 : 16;
  send();
});

const redrawLens = addLens(layers, element("lens"), () => element("seen"));
document.addEventListener("htmx:after:swap", () => {
  redrawLens();
  // A radio that was ever set by hand no longer follows its attribute, which is what morphing changes.
  const radios = [...form.querySelectorAll("#pooling input[name=pooling]")];
  if (!radios.some((radio) => radio.checked)) for (const radio of radios) radio.checked = radio.defaultChecked;
});
