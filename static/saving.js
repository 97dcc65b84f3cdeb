// The button that opens the dialog for saving. The dialog's own script is loaded then, and not with the page.

/**
 * @param {HTMLDialogElement} dialog
 * @param {{form: HTMLFormElement, pad: import("./pad.js").Pad, inputs: import("./inputs.js").Inputs, save: () => void}} page
 */
export function addSaving(dialog, page) {
  let loaded = null;
  document.addEventListener("click", async ({ target }) => {
    if (target === dialog) return dialog.close(); // its backdrop
    if (!target.closest("[data-save]")) return;
    loaded ??= import("./save_dialog.js").then(({ SaveDialog }) => new SaveDialog(dialog, page));
    try {
      (await loaded).open();
    } catch (error) {
      loaded = null; // the server was away
      throw error;
    }
  });
}
