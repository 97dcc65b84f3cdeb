// Hints at the first visit: one after the other, each gone for good once it was followed or closed.

import { element } from "./dom.js";

const KEY = "layerglass-hints"; // how many are gone

/**
 * @param {HTMLElement} place holds a paragraph for each hint, in order; data-until says which event on which element
 *   follows it: "click #layers .maps-button"
 */
export function addHints(place) {
  const hints = [...place.querySelectorAll("[data-until]")];
  let gone = read();

  const show = () => {
    for (const [index, hint] of hints.entries()) hint.hidden = index !== gone;
    place.hidden = gone >= hints.length;
  };
  const goOn = (count) => {
    if (count <= gone) return;
    gone = count;
    keep(gone);
    show();
  };
  place.addEventListener("click", ({ target }) => {
    if (target.closest("[data-next]")) goOn(gone + 1);
    if (target.closest("[data-no-hints]")) goOn(hints.length);
  });
  for (const [index, { dataset }] of hints.entries()) {
    const [event, ...selector] = dataset.until.split(" ");
    document.addEventListener(event, ({ target }) => {
      if (index === gone && target.closest?.(selector.join(" "))) goOn(index + 1);
    });
  }
  show();
}

/** Whether some of the hints are still to be followed. */
export const isFirstVisit = () => read() < element("hints").querySelectorAll("[data-until]").length;

function read() {
  try {
    return Number(localStorage.getItem(KEY));
  } catch {
    return 0; // a browser that keeps nothing
  }
}

function keep(gone) {
  try {
    localStorage.setItem(KEY, String(gone));
  } catch {
    // They come again with the next page.
  }
}
