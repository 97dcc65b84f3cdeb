// Small helpers for the page's own elements.

export const element = (id) => document.getElementById(id);

const TYPING = "input:not([type=radio], [type=checkbox], [type=range]), textarea, select, [contenteditable]";

/** Whether a key goes into a text or a list, where it is no shortcut of the page's. */
export const isTyping = ({ target }) => Boolean(target.closest?.(TYPING));

/** Show a message where the user is looking, in place of the one before. */
export function showMessage(place, text) {
  const sentence = document.createElement("p");
  sentence.textContent = text;
  place.replaceChildren(sentence);
}
