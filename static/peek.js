// Peek at another pooling: press and hold its button, or the key P, and let go to return.

import { isTyping } from "./dom.js";

const HELD_MS = 300; // a press that is longer is a look, and no choice

/**
 * @param {HTMLElement} place where the pooling's radio buttons are
 */
export function addPeek(place) {
  let before = null; // the mode to return to, while another one is looked at
  let timer = 0;
  const modes = () => [...place.querySelectorAll("[name=pooling]")];
  const choose = (value) => {
    const radio = modes().find((each) => each.value === value);
    if (!radio || radio.checked) return;
    radio.checked = true;
    radio.dispatchEvent(new Event("change", { bubbles: true }));
  };
  const look = (value) => {
    before ??= modes().find(({ checked }) => checked)?.value ?? null;
    choose(value);
  };
  const leave = () => {
    clearTimeout(timer);
    if (before !== null) choose(before);
    before = null;
  };

  place.addEventListener("pointerdown", ({ target, button }) => {
    const radio = target.closest("label")?.querySelector("[name=pooling]");
    if (radio && !radio.checked && button === 0) timer = setTimeout(() => look(radio.value), HELD_MS);
  });
  // After the click that follows, which would choose what was only looked at.
  for (const end of ["pointerup", "pointercancel"]) document.addEventListener(end, () => setTimeout(leave));

  document.addEventListener("keydown", (event) => {
    const { key, repeat } = event;
    if (key.toLowerCase() !== "p" || repeat || event.ctrlKey || event.metaKey || isTyping(event)) return;
    const all = modes();
    const trained = all.find((each) => "trained" in each.dataset);
    const next =
      trained && !trained.checked ? trained : all[(all.findIndex(({ checked }) => checked) + 1) % all.length];
    if (next) look(next.value);
  });
  document.addEventListener("keyup", ({ key }) => key.toLowerCase() === "p" && leave());
  addEventListener("blur", leave);
}
