// Buttons that copy the text of another element, which their attribute data-copy names.

import { element } from "./dom.js";

document.addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-copy]");
  if (!button) return;
  const text = element(button.dataset.copy);
  // Over plain HTTP a browser lets no page write to the clipboard: then the text is selected, to be copied by hand.
  const isCopied = await navigator.clipboard?.writeText(text.textContent).then(
    () => true,
    () => false,
  );
  if (isCopied) button.textContent = "Copied";
  else getSelection().selectAllChildren(text);
});
