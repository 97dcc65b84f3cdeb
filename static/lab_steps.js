// The controls of each step: settings, another operation, another place, gone. Everything works by keyboard and by touch.

import { element } from "./dom.js";
import { writeMatrix } from "./lab_chain.js";

const NOT_A_MATRIX =
  "This is no matrix of numbers: up to 9 lines of up to 9 numbers each, as many in each line, between ±1000.";
const FOLLOWED = "window"; // what a stride follows
const POOLED = ["window", "stride", "padding"];
const CONVOLVED = ["kernel", "size", "seed", "padding", "stride", "dilation"];
const SETTINGS = {
  ...Object.fromEntries(
    ["max", "average", "min", "lp", "soft", "mixed", "median", "blurred"].map((name) => [name, POOLED]),
  ),
  stochastic: [...POOLED, "seed"],
  polyphase: ["window", "stride"],
  cell: ["window", "stride"],
  convolution: CONVOLVED,
  strided: CONVOLVED,
};

/**
 * @param {HTMLElement} results where the steps are
 * @param {import("./lab_chain.js").Chain} chain
 * @param {{change: (isDragged?: boolean) => void, refuse: (message: string) => void}} page
 */
export function addSteps(results, chain, page) {
  const indexOf = (target) => Number(target.closest("[data-number]").dataset.number) - 1;

  results.addEventListener("input", ({ target }) => {
    if (!target.matches("input[type=range][data-setting]")) return;
    target.focus({ preventScroll: true }); // an input in use keeps its value when the answer arrives
    apply(target, true);
  });
  results.addEventListener("change", ({ target }) => {
    if (target.matches("[data-kind]")) {
      chain.replace(indexOf(target), target.value, (name) => SETTINGS[name] ?? []);
      page.change();
    } else if (target.matches("[data-follows]")) {
      const { value } = results.querySelector(`#c-${indexOf(target) + 1}-${target.dataset.follows}`);
      chain.set(indexOf(target), target.dataset.follows, target.checked ? null : value);
      page.change();
    } else if (target.matches("[data-rows]")) typeKernel(target);
    else if (target.matches("[data-setting]")) apply(target, false);
    else if (target.id === "lab-add" && target.value) {
      chain.add(target.value);
      page.change();
      focusLater(`#step-${chain.steps.length} [data-kind]`);
    }
  });
  results.addEventListener("click", ({ target }) => {
    const button = target.closest("button");
    if (!button) return;
    if (button.matches("[data-remove]")) {
      const index = indexOf(button);
      chain.remove(index);
      page.change();
      focusLater(chain.steps.length ? `#step-${Math.min(index + 1, chain.steps.length)} [data-remove]` : "#lab-add");
    } else if (button.matches("[data-move]")) {
      const [index, way] = [indexOf(button), Number(button.dataset.move)];
      moveStep(index, index + way, way < 0 ? "up" : "down");
    } else if (button.matches("[data-dice]")) {
      chain.set(indexOf(button), "seed", String(1 + Math.floor(Math.random() * 9999)));
      page.change();
    }
  });

  function moveStep(from, to, focused) {
    if (to < 0 || to >= chain.steps.length || from === to) return;
    chain.move(from, to);
    page.change();
    const other = focused === "up" ? "down" : "up";
    const isAtEnd = to === (focused === "up" ? 0 : chain.steps.length - 1);
    focusLater(`#${isAtEnd ? other : focused}-${to + 1}`);
  }

  function apply(target, isDragged) {
    const { setting } = target.dataset;
    if (target.type === "number" && !target.checkValidity()) return target.reportValidity();
    if (target.value === "typed") return results.querySelector(`#${target.id}-rows`).focus();
    const output = target.parentElement.querySelector("output");
    if (output && target.type === "range") output.textContent = target.value;
    chain.set(indexOf(target), setting, target.value);
    if (setting === FOLLOWED) keepInside(indexOf(target), Number(target.value));
    page.change(isDragged);
  }

  /** A fixed cell lies inside of its window. */
  function keepInside(index, window) {
    const { settings } = chain.steps[index];
    for (const name of ["row", "column"]) if (Number(settings[name]) > window) settings[name] = String(window);
  }

  function typeKernel(target) {
    const kernel = writeMatrix(target.value);
    target.setAttribute("aria-invalid", String(kernel === null));
    if (kernel === null) return page.refuse(NOT_A_MATRIX);
    chain.set(indexOf(target), "kernel", kernel);
    page.change();
  }

  addDragging(results, moveStep, indexOf);
}

/** Focus what has this selector once the answer is there. */
function focusLater(selector) {
  document.addEventListener("htmx:after:swap", () => document.querySelector(selector)?.focus({ preventScroll: true }), {
    once: true,
  });
}

/** A step is dragged by its number, with a mouse or a finger. */
function addDragging(results, move, indexOf) {
  let dragged = null;
  results.addEventListener("pointerdown", (event) => {
    const handle = event.target.closest("[data-handle]");
    if (!handle || event.button !== 0) return;
    event.preventDefault();
    const step = handle.closest(".lab-step");
    dragged = { step, from: indexOf(handle), y: event.clientY, pointer: event.pointerId };
    handle.setPointerCapture(event.pointerId);
    step.classList.add("is-moving");
  });
  results.addEventListener("pointermove", (event) => {
    if (event.pointerId !== dragged?.pointer) return;
    dragged.step.style.transform = `translateY(${event.clientY - dragged.y}px)`;
  });
  const end = (event) => {
    if (event.pointerId !== dragged?.pointer) return;
    const { step, from } = dragged;
    const middle = step.getBoundingClientRect().top + step.offsetHeight / 2;
    step.style.transform = "";
    step.classList.remove("is-moving");
    dragged = null;
    if (event.type === "pointercancel") return;
    const others = [...element("lab-steps").querySelectorAll(".lab-step[data-operation]")].filter(
      (each) => each !== step,
    );
    const above = others.filter((each) => {
      const { top, height } = each.getBoundingClientRect();
      return top + height / 2 < middle;
    });
    move(from, above.length, above.length < from ? "up" : "down");
  };
  for (const type of ["pointerup", "pointercancel"]) results.addEventListener(type, end);
}
