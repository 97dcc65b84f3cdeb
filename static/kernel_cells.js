// The numbers of a kernel, to be dragged to the left and right, or stepped by the arrow keys, each in its colour.

const PER_PIXEL = 0.01;
const STEP = 0.1;
const SLACK = 4; // pixels that a click may move
const WEIGHT = "input[data-weight]";

/** A number without what floating point adds to it. */
const tidy = (number) => String(Number(number.toFixed(4)));

/** Give each number of the kernels in a place the colour of its sign, as strong as it is among those of its kernel. */
export function colourWeights(place) {
  for (const kernel of place.querySelectorAll("fieldset[data-edit-target]")) {
    const inputs = [...kernel.querySelectorAll(WEIGHT)];
    const largest = Math.max(...inputs.map(({ value }) => Math.abs(Number(value)))) || 1;
    for (const input of inputs) {
      const number = Number(input.value) || 0;
      input.classList.toggle("is-negative", number < 0);
      input.style.setProperty("--strength", `${Math.round((60 * Math.abs(number)) / largest)}%`);
    }
  }
}

/**
 * @param {HTMLElement} place where kernels come and go
 * @param {(input: HTMLInputElement, isDone: boolean) => void} change told of each new number; isDone: it stays
 */
export function addKernelCells(place, change) {
  let drag = null;

  const set = (input, number, isDone) => {
    input.value = tidy(number);
    change(input, isDone);
  };

  place.addEventListener("pointerdown", (event) => {
    const input = event.target.closest(WEIGHT);
    if (!input || event.button !== 0) return;
    drag = { input, x: event.clientX, start: Number(input.value) || 0, moved: false };
  });
  document.addEventListener("pointermove", (event) => {
    if (!drag) return;
    const distance = event.clientX - drag.x;
    if (!drag.moved && Math.abs(distance) < SLACK) return;
    if (!drag.moved) drag.input.focus(); // so that no answer writes another number over it
    drag.moved = true;
    set(drag.input, drag.start + PER_PIXEL * distance, false);
  });
  const end = () => {
    if (drag?.moved) change(drag.input, true);
    drag = null;
  };
  document.addEventListener("pointerup", end);
  document.addEventListener("pointercancel", end);
  place.addEventListener("keydown", (event) => {
    const input = event.target.closest(WEIGHT);
    const sign = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (!input || !sign) return;
    event.preventDefault(); // the browser's own step is 1
    event.stopPropagation();
    set(input, (Number(input.value) || 0) + sign * STEP * (event.shiftKey ? 10 : 1), true);
  });
}
