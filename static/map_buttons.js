// A button over each map of a grid, made once for each of its pages. Tab reaches the grid, which hands the focus on to
// one of them; arrow keys reach the others. A unit of a long vector is too small a target to be a stop of its own.

import { boxOf, nameOf, readPlace } from "./maps.js";

export const ARROWS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

/** Fill an overlay with buttons, unless it has those of this page. */
export function fillOverlay(overlay) {
  const maps = overlay.parentElement;
  if (overlay.filledFor === maps.dataset.place) return;
  overlay.filledFor = maps.dataset.place;
  overlay.chosen = undefined; // nothing is marked yet
  const place = readPlace(maps);
  overlay.replaceChildren(...Array.from({ length: place.count }, (_, index) => makeButton(maps.dataset, place, index)));
  overlay.lastFocused = overlay.firstElementChild;
  if (overlay.hasListeners) return;
  overlay.hasListeners = true;
  overlay.addEventListener("focus", () => overlay.lastFocused?.focus());
  overlay.addEventListener("focusin", ({ target }) => {
    if (target !== overlay) overlay.lastFocused = target;
  });
  overlay.addEventListener("keydown", ({ key }) => {
    if (key === "Tab") overlay.tabIndex = -1; // it would hand the focus back
  });
  overlay.addEventListener("focusout", () => {
    overlay.tabIndex = 0;
  });
}

function makeButton({ word, ...maps }, place, index) {
  const number = place.first + index;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "maps-button";
  button.tabIndex = -1;
  button.dataset.index = number;
  button.setAttribute("aria-label", `${nameOf(maps)}, ${word} ${number}`);
  Object.assign(button.style, boxOf(place, index));
  return button;
}

/** Mark the button of the chosen map, or none for null. One that is not held is only pointed at. */
export function markChosen(overlay, chosen, isHeld) {
  const state = `${chosen} ${isHeld}`;
  if (overlay.chosen === state) return;
  overlay.chosen = state;
  for (const button of overlay.children) {
    const isChosen = button.dataset.index === chosen;
    button.classList.toggle("is-selected", isChosen);
    button.classList.toggle("is-held", isChosen && isHeld);
    button.setAttribute("aria-pressed", String(isChosen && isHeld));
  }
}

/** Move the focus from a button to its neighbour; false if there is none. */
export function moveFocus(button, [rows, columns]) {
  const place = readPlace(button.closest(".maps"));
  const next = Number(button.dataset.index) - place.first + rows * place.columns + columns;
  const neighbour = button.parentElement.children[next];
  if (!neighbour) return false;
  neighbour.focus();
  return true;
}

/** The layer, the map, and for a unit of a vector its cell, that a button stands for. */
export function placeOf(button) {
  const { layer, word } = button.closest(".maps").dataset;
  const index = Number(button.dataset.index);
  return word === "map" ? [layer, index] : [layer, 0, 0, index];
}
