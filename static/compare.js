// Three poolings side by side: the pad and the form of connectPad, the lens, and the way to a layer that is named.

import { keepDrawing } from "./address.js";
import { connectPad } from "./drawing.js";
import { addLens } from "./lens.js";

const PHONE = matchMedia("(max-width: 700px)");

const element = (id) => document.getElementById(id);
const form = element("compare");
const comparison = element("comparison");

// Three grids share the width: fewer maps a row where the page is narrow.
const fitColumns = () => (form.elements.columns.value = PHONE.matches ? 4 : 8);
fitColumns();

const { send } = connectPad(form, [comparison, element("answer")]);

PHONE.addEventListener("change", () => {
  fitColumns();
  send();
});

const redrawLens = addLens(comparison, element("lens"), () => element("seen"));
document.addEventListener("htmx:after:swap", () => {
  redrawLens();
  keepDrawing();
});

// Not a link: the address's fragment holds the drawing.
comparison.addEventListener("click", (event) => {
  const name = event.target.closest("[data-jump]")?.dataset.jump;
  if (!name) return;
  element(name).scrollIntoView({ block: "center" });
  element(name).focus({ preventScroll: true });
});
