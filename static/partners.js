// Partner cells: under the pointer an input, its weight, and the cell of the input map, marked together.

/** Take all marks away. */
export function clearPartners(place) {
  for (const each of place.querySelectorAll(".is-partner")) each.classList.remove("is-partner");
  for (const each of place.querySelectorAll(".microscope-partner")) each.setAttribute("visibility", "hidden");
}

/** Mark the partners of the number under the pointer: in its row of the sum, and in that row of sums beside it. */
export function markPartners(target) {
  const panel = target.closest("#microscope");
  if (!panel) return;
  const number = target.closest("[data-at]");
  if (number?.classList.contains("is-partner")) return;
  clearPartners(panel);
  const term = number?.closest(".microscope-term");
  if (!term) return;
  const same = term.dataset.term === undefined ? [term] : panel.querySelectorAll(`[data-term="${term.dataset.term}"]`);
  for (const each of same) markIn(each, number.dataset.at);
}

function markIn(term, at) {
  for (const each of term.querySelectorAll(`[data-at="${at}"]`)) each.classList.add("is-partner");
  const mark = term.dataset.window && term.querySelector(".microscope-picture .microscope-partner");
  if (!mark) return;
  const [row, column] = at.split(" ").map(Number);
  const [top, left, rows, columns] = term.dataset.window.split(" ").map(Number);
  mark.setAttribute("x", left + column * columns);
  mark.setAttribute("y", top + row * rows);
  mark.setAttribute("visibility", "visible");
}
