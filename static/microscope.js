// The microscope: which map and which cell are selected. The server draws and computes; this only says where to look.

import { element } from "./dom.js";
import { ARROWS, fillOverlay, markChosen, moveFocus } from "./map_buttons.js";

const FIELDS = ["layer", "channel", "row", "column", "precise", "everything"];
const NOTHING = { layer: null, channel: null, row: null, column: null };
const REDUCED_MOTION = matchMedia("(prefers-reduced-motion: reduce)");

export class Microscope {
  /**
   * @param {HTMLFormElement} form holds the selection and sends it with every request
   * @param {HTMLElement} layers where the grids and the microscope's panel are
   * @param {{send: () => void, save: () => void}} page asks for all results again; keeps the state in the address
   */
  constructor(form, layers, page) {
    this.layers = layers;
    this.page = page;
    this.fields = Object.fromEntries(FIELDS.map((name) => [name, form.elements[name]]));
    this.probe = form.querySelector("#probe");
    this.playing = 0; // the timer of the next step
    this.origin = null; // what had the focus before the panel was opened

    this.listenToMaps();
    this.listenToCells();
    this.listenToControls();
    // Another model has other layers, so its first view is without the microscope.
    form.elements.model.addEventListener("change", () => {
      this.stop();
      for (const name of Object.keys(NOTHING)) this.fields[name].disabled = true;
    });
    document.addEventListener("htmx:after:swap", () => this.refresh());
    this.refresh();
  }

  get panel() {
    return element("microscope");
  }

  // The selection: a field that is disabled is not sent

  get selectedLayer() {
    return this.fields.layer.disabled ? null : this.fields.layer.value;
  }

  set(values) {
    for (const [name, value] of Object.entries(values)) {
      this.fields[name].disabled = value === null;
      this.fields[name].value = value ?? "";
    }
    this.page.save();
  }

  /** Ask for the panel alone. */
  ask() {
    this.probe.dispatchEvent(new CustomEvent("probe"));
  }

  select(layer, channel, row = null, column = null) {
    this.stop();
    const isOpen = this.panel?.dataset.layer === layer;
    this.set({ layer, channel, row, column });
    if (isOpen) this.ask();
    else this.page.send();
  }

  close() {
    this.stop();
    this.set(NOTHING);
    this.refresh();
    this.origin?.focus();
  }

  /** The cell last asked for, else the one on the panel: steps may follow one another faster than answers. */
  get cell() {
    const { row, column } = this.fields;
    const shown = this.panel.dataset;
    return (row.disabled ? [shown.row, shown.column] : [row.value, column.value]).map(Number);
  }

  moveTo(row, column) {
    const { rows, columns } = this.panel.dataset;
    const clamp = (value, count) => Math.max(0, Math.min(Number(count) - 1, value));
    const [before, there] = [this.cell, [clamp(row, rows), clamp(column, columns)]];
    if (!this.fields.row.disabled && before[0] === there[0] && before[1] === there[1]) return;
    this.set({ row: there[0], column: there[1] });
    this.ask();
  }

  moveBy([rows, columns]) {
    this.stop();
    const [row, column] = this.cell;
    this.moveTo(row + rows, column + columns);
  }

  /** Bring the buttons and the panel in line with the selection. */
  refresh() {
    // The panel may be closed or on another layer now, although an answer that was under way has still brought it.
    if (this.panel && this.panel.dataset.layer !== this.selectedLayer) this.panel.remove();
    for (const overlay of this.layers.querySelectorAll(".maps-overlay")) {
      fillOverlay(overlay);
      markChosen(overlay, this.chosenOn(overlay.parentElement.dataset));
    }
    const play = this.panel?.querySelector("[data-play]");
    if (!play) return;
    play.disabled = REDUCED_MOTION.matches;
    play.textContent = this.playing ? "Pause" : "Play";
    play.setAttribute("aria-pressed", String(this.playing !== 0));
    if (REDUCED_MOTION.matches) play.title = "Off, because this system asks for reduced motion";
  }

  /** The index of a layer's selected map or unit, as text, or null. */
  chosenOn({ layer, word }) {
    if (layer !== this.selectedLayer) return null;
    return word === "map" ? this.fields.channel.value : String(this.panel?.dataset.column);
  }

  // Maps

  listenToMaps() {
    this.layers.addEventListener("click", ({ target }) => {
      const button = target.closest(".maps-button");
      if (button) this.open(button);
      else if (target.closest("[data-close]")) this.close();
      else if (target.closest("[data-play]")) this.toggle();
      else if (this.panel && !target.closest("#microscope")) this.close();
    });
    this.layers.addEventListener("keydown", (event) => {
      const button = event.target.closest(".maps-button");
      if (button && ARROWS[event.key] && moveFocus(button, ARROWS[event.key])) event.preventDefault();
    });
  }

  open(button) {
    this.origin = button;
    const { layer, word } = button.closest(".maps").dataset;
    const index = Number(button.dataset.index);
    if (word === "map") this.select(layer, index);
    else this.select(layer, 0, 0, index);
  }

  // Cells: pointing at a picture with the map's own cells, or keys on the map

  listenToCells() {
    this.layers.addEventListener("pointermove", (event) => event.pointerType === "mouse" && this.point(event));
    this.layers.addEventListener("pointerdown", (event) => this.point(event));
    document.addEventListener("keydown", (event) => {
      if (this.panel && this.pressKey(event)) event.preventDefault();
    });
  }

  point(event) {
    const picture = event.target.closest("#microscope svg[data-cells]");
    if (!picture) return;
    const [x, y] = placeIn(picture, event);
    // From a place in the picture to the cell whose window is centred there. The map's own pictures have step 1.
    const [top, left, rows, columns] = picture.dataset.cells.split(" ").map(Number);
    this.stop();
    this.moveTo(Math.floor((y - top) / rows), Math.floor((x - left) / columns));
  }

  /** Do what a key means while the panel is open; false if it means nothing. */
  pressKey({ key, target }) {
    const isOnMap = target.id === "microscope-map";
    if (key === "Escape") this.close();
    else if (isOnMap && ARROWS[key]) this.moveBy(ARROWS[key]);
    else if (isOnMap && key === " ") this.toggle();
    else return false;
    return true;
  }

  listenToControls() {
    this.layers.addEventListener("change", ({ target }) => {
      const value = target.checked ? "true" : null;
      if (target.matches("[data-precise]")) this.set({ precise: value });
      else if (target.matches("[data-all-terms]")) this.set({ everything: value });
      else return;
      this.ask();
    });
  }

  // Play: the window slides over the map, row by row

  toggle() {
    if (this.playing) this.stop();
    else if (!REDUCED_MOTION.matches) this.step();
    this.refresh();
  }

  step() {
    const { rows, columns } = this.panel.dataset;
    const [row, column] = this.cell;
    const next = (row * columns + column + 1) % (rows * columns);
    this.moveTo(Math.floor(next / columns), next % columns);
    const speed = Number(this.panel.querySelector("[data-speed]").value);
    this.playing = setTimeout(() => (this.panel ? this.step() : this.stop()), 1000 / speed);
  }

  stop() {
    clearTimeout(this.playing);
    this.playing = 0;
  }
}

/** The place of an event in an SVG picture, in the units of its view box. */
function placeIn(picture, event) {
  const box = picture.getBoundingClientRect();
  const view = picture.viewBox.baseVal;
  const scale = Math.min(box.width / view.width, box.height / view.height);
  return [
    (event.clientX - box.left - (box.width - view.width * scale) / 2) / scale + view.x,
    (event.clientY - box.top - (box.height - view.height * scale) / 2) / scale + view.y,
  ];
}
