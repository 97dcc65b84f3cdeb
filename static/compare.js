// Three poolings side by side: a page with a pad, the microscope, and the way to a layer that is named.

import { updateLinks } from "./address.js";
import { element } from "./dom.js";
import { Microscope } from "./microscope.js";
import { startPadPage } from "./pad_page.js";

const comparison = element("comparison");

// Three grids share the width, so each has fewer maps in a row.
const form = element("compare");
const columns = { wide: 8, phone: 4, lecture: 4, paper: 4 };
const { save, inputFrame } = startPadPage(form, comparison, columns);
new Microscope(form, comparison, element("dock"), { save, inputFrame });
document.addEventListener("htmx:after:swap", updateLinks);

// Not a link, because the address's fragment holds the drawing.
comparison.addEventListener("click", (event) => {
  const name = event.target.closest("[data-jump]")?.dataset.jump;
  if (!name) return;
  element(name).scrollIntoView({ block: "center" });
  element(name).focus({ preventScroll: true });
});
