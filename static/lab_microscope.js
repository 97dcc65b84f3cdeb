// The lab's microscope: pointing at a picture looks at a value, a click holds it, arrow keys step, Escape lets go.

import { element } from "./dom.js";

const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
const WIDE = matchMedia("(min-width: 1200px)"); // the dock has a place of its own: pointing covers nothing

export class LabMicroscope {
  /**
   * @param {HTMLFormElement} form asks for a cell
   * @param {HTMLElement} results where the pictures are
   * @param {HTMLElement} dock
   * @param {import("./lab_address.js").LabAddress} address holds the cell that is held
   */
  constructor(form, results, dock, address) {
    this.form = form;
    this.results = results;
    this.dock = dock;
    this.address = address;
    this.cell = address.cell; // step, row, column, channel; null where none is looked at
    this.isHeld = this.cell !== null;
    this.isPrecise = false;
    this.listen();
    this.show();
  }

  listen() {
    this.results.addEventListener("pointermove", (event) => {
      if (event.pointerType === "mouse" && !this.isHeld && WIDE.matches) this.point(event);
    });
    this.results.addEventListener("click", (event) => {
      if (!this.point(event)) return;
      this.isHeld = true;
      this.address.hold(this.cell);
      this.show();
    });
    this.results.addEventListener("keydown", (event) => {
      const frame = event.target.closest?.(".lab-frame");
      if (!frame || !ARROWS[event.key]) return;
      event.preventDefault();
      this.step(frame, ARROWS[event.key]);
    });
    document.addEventListener("keydown", ({ key }) => {
      if (key === "Escape" && this.cell) this.close();
    });
    this.dock.addEventListener("click", ({ target }) => {
      if (target.closest("[data-close]")) this.close();
    });
    this.dock.addEventListener("change", ({ target }) => {
      if (target.matches("[data-precise]")) this.isPrecise = target.checked;
      else if (target.name === "lab-channel") this.cell.channel = Number(target.value);
      else return;
      this.ask();
    });
  }

  /** Look at the value under the pointer; false where there is no picture. */
  point(event) {
    const frame = event.target.closest?.(".lab-frame");
    if (!frame) return false;
    const { left, top, width, height } = frame.querySelector("img").getBoundingClientRect();
    const { step, rows, columns } = frame.dataset;
    const place = (at, count) => Math.min(count - 1, Math.max(0, Math.floor(at * count)));
    const row = place((event.clientY - top) / height, Number(rows));
    const column = place((event.clientX - left) / width, Number(columns));
    this.lookAt({ step: Number(step), row, column });
    return true;
  }

  /** Step to a neighbour of the cell in this picture, or to its middle if none was looked at. */
  step(frame, [down, across]) {
    const { step, rows, columns } = frame.dataset;
    const isHere = this.cell?.step === Number(step);
    const [row, column] = isHere ? [this.cell.row + down, this.cell.column + across] : [rows >> 1, columns >> 1];
    const clamp = (value, count) => Math.min(count - 1, Math.max(0, value));
    this.isHeld = true;
    this.lookAt({ step: Number(step), row: clamp(row, Number(rows)), column: clamp(column, Number(columns)) });
    this.address.hold(this.cell);
  }

  lookAt({ step, row, column }) {
    const { cell } = this;
    if (cell?.step === step && cell.row === row && cell.column === column) return;
    this.cell = { step, row, column, channel: cell?.channel ?? 0 };
    this.ask();
  }

  ask() {
    if (this.isHeld) this.address.hold(this.cell);
    this.mark();
    this.form.dispatchEvent(new CustomEvent("look"));
  }

  /** After new pictures: look at the same cell again, which another value may have. */
  refresh() {
    if (!this.cell) return;
    const last = this.results.querySelectorAll(".lab-frame").length - 1;
    if (this.cell.step > last) this.close();
    else {
      this.mark();
      this.form.dispatchEvent(new CustomEvent("look"));
    }
  }

  /** Take the cell that the address holds; null is none. */
  select(cell) {
    this.cell = cell;
    this.isHeld = cell !== null;
    if (cell) this.ask();
    else this.clear();
  }

  close() {
    this.cell = null;
    this.isHeld = false;
    this.address.hold(null);
    this.clear();
  }

  clear() {
    element("stage").replaceChildren();
    this.mark();
  }

  /** Add the cell to a request. */
  fill(body) {
    for (const name of ["step", "row", "column", "channel"]) {
      if (this.cell) body.set(name, this.cell[name]);
      else body.delete(name);
    }
    if (this.isPrecise) body.set("precise", "true");
  }

  /** After an answer: say whether the cell is held, and mark it. */
  show() {
    const panel = element("microscope");
    if (!this.cell && panel) return this.clear(); // it was closed before the answer came
    const state = element("microscope-state");
    if (state) {
      state.textContent = this.isHeld ? "held" : "click to hold";
      state.classList.toggle("is-held", this.isHeld);
    }
    this.mark();
  }

  /** Mark the cell in its picture, and what it reads in the one before. */
  mark() {
    const panel = element("microscope");
    const isCurrent = panel && this.cell && Number(panel.dataset.step) === this.cell.step;
    for (const frame of this.results.querySelectorAll(".lab-frame")) {
      const step = Number(frame.dataset.step);
      const isHere = this.cell?.step === step;
      frame.classList.toggle("is-held", isHere && this.isHeld);
      const { row, column } = this.cell ?? {};
      outline(frame, ".lab-cell", isHere ? [row, column, row + 1, column + 1] : null);
      const reads = isCurrent && panel.dataset.window && this.cell.step - 1 === step;
      outline(frame, ".lab-window", reads ? panel.dataset.window.split(" ").map(Number) : null);
    }
  }
}

/** Draw a rectangle of cells over a picture: [top, left, bottom, right], or null for none. */
function outline(frame, selector, region) {
  const mark = frame.querySelector(selector);
  mark.hidden = !region;
  if (!region) return;
  const { rows, columns } = frame.dataset;
  const [top, left, bottom, right] = region;
  const share = (value, count) => `${(100 * value) / count}%`;
  mark.style.top = share(top, rows);
  mark.style.left = share(left, columns);
  mark.style.height = share(bottom - top, rows);
  mark.style.width = share(right - left, columns);
}
