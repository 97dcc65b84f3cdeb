// A pen for the keyboard: arrow keys move it, Space sets it down and lifts it.

import { SIDE } from "./crop.js";

const STEP = 7;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class KeyboardPen {
  /**
   * @param {import("./pad.js").Pad} pad
   * @param {HTMLElement} mark shows where the pen is
   */
  constructor(pad, mark) {
    this.pad = pad;
    this.mark = mark;
    this.at = [SIDE / 2, SIDE / 4];
    pad.canvas.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key in ARROWS) this.move(ARROWS[event.key]);
      else if (event.key === " ") this.toggle();
      else return;
      event.preventDefault();
      this.show();
    });
    pad.canvas.addEventListener("blur", () => {
      mark.hidden = true;
      if (pad.current && pad.pointer === null) pad.finish();
    });
  }

  move(direction) {
    this.at = this.at.map((value, axis) => Math.max(0, Math.min(SIDE, value + direction[axis] * STEP)));
    if (!this.pad.current) return;
    this.pad.extend(this.at);
    this.pad.onChange();
  }

  toggle() {
    if (this.pad.current) this.pad.finish();
    else this.pad.begin(this.at);
  }

  show() {
    const [left, top] = this.at.map((value) => `${(value / SIDE) * 100}%`);
    this.mark.hidden = false;
    Object.assign(this.mark.style, { left, top });
    this.mark.classList.toggle("is-down", this.pad.current !== null);
  }
}
