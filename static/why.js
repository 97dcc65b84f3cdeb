// Why this answer: a page with a pad, whose results link into the explorer, and the usual pictures on demand.

import { updateLinks } from "./address.js";
import { element } from "./dom.js";
import { startPadPage } from "./pad_page.js";

const form = element("why");
startPadPage(form, element("explanation"), { wide: 8, phone: 4, lecture: 4, paper: 8 });
document.addEventListener("htmx:after:swap", updateLinks);

// It is of the drawing and the choices that it was asked for with.
for (const type of ["drawing", "change"]) {
  form.addEventListener(type, () => element("attribution").classList.add("is-stale"));
}

for (const button of document.querySelectorAll("[data-method]")) {
  button.addEventListener("click", () => {
    element("attribution-errors").replaceChildren();
    const picture = element("attribution");
    picture.textContent = `${button.textContent} …`;
    picture.classList.remove("is-stale");
    const { method } = form.elements;
    method.value = button.value;
    method.disabled = false;
    element("ask-method").dispatchEvent(new CustomEvent("ask"));
  });
}
