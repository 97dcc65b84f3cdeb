// The help: opened by its button, or by "?" wherever no text is being typed.

import { isTyping } from "./dom.js";

/** @param {HTMLDialogElement} dialog */
export function addHelp(dialog) {
  const open = () => {
    if (!dialog.open) dialog.showModal();
  };
  document.addEventListener("click", ({ target }) => {
    if (target.closest("[data-help]")) open();
    else if (target === dialog) dialog.close(); // its backdrop
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "?" || isTyping(event)) return;
    event.preventDefault();
    open();
  });
}
