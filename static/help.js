// The help: opened by its button, or by "?" wherever no text is being typed.

const TYPING = "input:not([type=radio], [type=checkbox], [type=range]), textarea, select";

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
    if (event.key !== "?" || event.target.closest(TYPING)) return;
    event.preventDefault();
    open();
  });
}
