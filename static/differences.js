// Two networks side by side: a page with a pad.

import { element } from "./dom.js";
import { startPadPage } from "./pad_page.js";

const form = element("differences");
startPadPage(form, element("parting"), { wide: 8, phone: 4, lecture: 8, paper: 8 });

// Another second model has other layers, and starts as it was trained. This comes before the choices are sent.
document.addEventListener(
  "change",
  ({ target }) => {
    if (target.name === "other") form.elements.other_edits.value = "";
  },
  { capture: true },
);
