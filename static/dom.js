// Small helpers for the page's own elements.

export const element = (id) => document.getElementById(id);

/** Show a message where the user is looking, in place of the one before. */
export function showMessage(place, text) {
  const sentence = document.createElement("p");
  sentence.textContent = text;
  place.replaceChildren(sentence);
}
