// The microscope: which map and which cell are looked at. The server draws and computes; this only says where to look.
// Pointing previews, a click holds; Escape lets go of the cell, then of the map.

import { beginEntry, onReturn } from "./address.js";
import { element } from "./dom.js";
import { ARROWS, fillOverlay, markChosen, moveFocus } from "./map_buttons.js";
import { clearPartners, markPartners } from "./partners.js";
import { showRegions } from "./receptive_field.js";

const FIELDS = ["layer", "channel", "row", "column", "precise", "everything"];
const NOTHING = { layer: null, channel: null, row: null, column: null };
const REDUCED_MOTION = matchMedia("(prefers-reduced-motion: reduce)");
// As in layout.css: wide enough for a column of its own.
const DOCKED = matchMedia("(min-width: 1200px)");
const SHEET = 0.58; // else, it covers so much of the screen
const REST_MS = 60; // how long the pointer rests on a map before it is previewed

export class Microscope {
  /**
   * @param {HTMLFormElement} form holds the selection and sends it with every request
   * @param {HTMLElement} layers where the grids are
   * @param {HTMLElement} dock where the panel is
   * @param {{save: () => void}} page keeps the state in the address
   */
  constructor(form, layers, dock, page) {
    this.form = form;
    this.layers = layers;
    this.dock = dock;
    this.page = page;
    this.fields = Object.fromEntries(FIELDS.map((name) => [name, form.elements[name]]));
    this.probe = form.querySelector("#probe");
    this.holdsMap = this.selectedLayer !== null; // else it is a preview, which the address does not hold
    this.holdsCell = !this.fields.row.disabled;
    this.playing = 0; // the timer of the next step
    this.resting = 0; // the timer of the next preview
    this.origin = null; // what had the focus before the panel was opened

    this.listenToMaps();
    this.listenToPictures();
    this.listenToKeys();
    this.listenToControls();
    // Another model has other layers, so its first view is without the microscope.
    form.elements.model.addEventListener("change", () => {
      this.letGo();
      for (const name of Object.keys(NOTHING)) this.fields[name].disabled = true;
    });
    document.addEventListener("htmx:after:swap", () => this.refresh());
    onReturn((selection) => this.restore(selection));
    this.refresh();
    if (this.holdsMap) this.bringIntoView();
  }

  /** Bring the selected layer into view, if it is out of it. */
  bringIntoView() {
    const article = document.getElementById(`layer-${this.selectedLayer}`);
    const { top, bottom } = article?.getBoundingClientRect() ?? {};
    if (bottom < 0 || top > innerHeight * (DOCKED.matches ? 0.9 : 1 - SHEET)) article.scrollIntoView();
  }

  /** Look at what was selected before, or close the panel. */
  restore(selection) {
    this.stop();
    this.holdsMap = selection.layer !== null;
    this.holdsCell = selection.row !== null;
    this.set(selection);
    if (this.holdsMap) {
      this.ask();
      this.bringIntoView();
    }
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
    if (this.holdsMap && this.holdsCell) delete this.form.dataset.previews;
    else this.form.dataset.previews = this.holdsMap ? "row" : "layer";
    this.page.save();
  }

  /** Ask for the panel alone. */
  ask() {
    this.probe.dispatchEvent(new CustomEvent("probe"));
  }

  /** Look at a map, or at one of its cells; without one, at its strongest. */
  look(layer, channel, row = null, column = null) {
    this.stop();
    this.set({ layer, channel, row, column });
    this.ask();
    this.refresh();
  }

  hold(layer, channel, row = null, column = null) {
    clearTimeout(this.resting);
    beginEntry();
    this.holdsMap = true;
    this.holdsCell = row !== null;
    this.look(layer, channel, row, column);
  }

  /** Let go of the cell; where none is held, of the map. */
  release() {
    if (this.holdsCell) {
      this.holdsCell = false;
      this.refresh();
    } else this.close();
  }

  letGo() {
    this.stop();
    clearTimeout(this.resting);
    this.holdsMap = this.holdsCell = false;
  }

  close() {
    if (this.holdsMap) beginEntry();
    this.letGo();
    this.set(NOTHING);
    this.refresh();
    this.origin?.focus({ preventScroll: true });
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
    this.holdsMap = this.holdsCell = true;
    const [row, column] = this.cell;
    this.moveTo(row + rows, column + columns);
    this.refresh();
  }

  /** Bring the buttons, the panel and the marks in line with the selection. */
  refresh() {
    // The panel may be closed or on another layer now, although an answer that was under way has still brought it.
    if (this.panel && this.selectedLayer === null) this.panel.remove();
    for (const overlay of this.layers.querySelectorAll(".maps-overlay")) {
      fillOverlay(overlay);
      markChosen(overlay, this.chosenOn(overlay.parentElement.dataset), this.holdsMap);
    }
    showRegions(this.panel);
    if (this.panel) this.refreshPanel();
  }

  refreshPanel() {
    const state = element("microscope-state");
    state.textContent = this.holdsCell ? "cell held" : this.holdsMap ? "map held" : "preview";
    state.classList.toggle("is-held", this.holdsMap);
    const play = this.panel.querySelector("[data-play]");
    play.disabled = REDUCED_MOTION.matches;
    play.textContent = this.playing ? "Pause" : "Play";
    play.setAttribute("aria-pressed", String(this.playing !== 0));
    if (REDUCED_MOTION.matches) play.title = "Off, because this system asks for reduced motion";
  }

  /** The index of a layer's selected map or unit, as text, or null. */
  chosenOn({ layer, word }) {
    if (layer !== this.selectedLayer) return null;
    return word === "map" ? this.fields.channel.value : this.fields.column.value || String(this.panel?.dataset.column);
  }

  // Maps in the list

  listenToMaps() {
    this.layers.addEventListener("click", ({ target }) => {
      const button = target.closest(".maps-button");
      if (button) this.open(button);
      else if (this.panel && !target.closest("button, a, label, select, summary")) this.release();
    });
    this.layers.addEventListener("pointerover", ({ target, pointerType }) => {
      clearTimeout(this.resting);
      const button = target.closest(".maps-button");
      if (!button || pointerType !== "mouse" || this.holdsMap || !DOCKED.matches) return;
      this.resting = setTimeout(() => this.look(...placeOf(button)), REST_MS);
    });
    this.layers.addEventListener("pointerleave", () => clearTimeout(this.resting));
    this.layers.addEventListener("keydown", (event) => {
      const button = event.target.closest(".maps-button");
      if (button && ARROWS[event.key] && moveFocus(button, ARROWS[event.key])) event.preventDefault();
    });
  }

  open(button) {
    this.origin = button;
    const place = placeOf(button);
    this.hold(...place);
    this.holdsCell = place.length > 2;
    if (!DOCKED.matches) keepInView(button.closest(".layer"));
  }

  // The panel's pictures: pointing moves the cell, a click holds it, or leads to the map that the picture shows

  listenToPictures() {
    this.dock.addEventListener("pointermove", (event) => {
      markPartners(event.target);
      if (event.pointerType === "mouse" && !this.holdsCell) this.point(event);
    });
    this.dock.addEventListener("pointerleave", () => clearPartners(this.dock));
    this.dock.addEventListener("click", (event) => {
      const { target } = event;
      const link = target.closest("[data-link]");
      if (target.closest("[data-close]")) this.close();
      else if (target.closest("[data-play]")) this.toggle();
      else if (link) this.follow(link, event);
      else if (target.closest("svg[data-cells]")) {
        beginEntry();
        this.point(event);
        this.holdsMap = this.holdsCell = true;
        this.set({});
        this.refresh();
      }
    });
  }

  /** Go to the map, and the cell, that a picture or a row shows. */
  follow(link, event) {
    const [layer, ...place] = link.dataset.link.split(" ");
    const [channel, row, column] = place.map(Number);
    if (row !== undefined) return this.hold(layer, channel, row, column);
    const [x, y] = placeIn(link, event);
    this.hold(layer, channel, Math.max(0, Math.floor(y)), Math.max(0, Math.floor(x)));
  }

  /** Move to the cell that a picture has under the pointer, if it has one. */
  point(event) {
    const picture = event.target.closest("svg[data-cells]");
    if (!picture) return;
    const [x, y] = placeIn(picture, event);
    // From a place in the picture to the cell whose window is centred there. The map's own pictures have step 1.
    const [top, left, rows, columns] = picture.dataset.cells.split(" ").map(Number);
    this.stop();
    this.moveTo(Math.floor((y - top) / rows), Math.floor((x - left) / columns));
  }

  listenToKeys() {
    document.addEventListener("keydown", (event) => {
      if (this.panel && !document.querySelector("dialog[open]") && this.pressKey(event)) event.preventDefault();
    });
  }

  /** Do what a key means while the panel is open; false if it means nothing. */
  pressKey({ key, target }) {
    const isOnMap = target.id === "microscope-map";
    if (key === "Escape") this.release();
    else if (isOnMap && ARROWS[key]) this.moveBy(ARROWS[key]);
    else if (isOnMap && key === " ") this.toggle();
    else return false;
    return true;
  }

  listenToControls() {
    this.dock.addEventListener("change", ({ target }) => {
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
    else if (!REDUCED_MOTION.matches) {
      this.holdsMap = this.holdsCell = true;
      this.step();
    }
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

/** The layer, the map, and for a unit of a vector its cell, that a button stands for. */
function placeOf(button) {
  const { layer, word } = button.closest(".maps").dataset;
  const index = Number(button.dataset.index);
  return word === "map" ? [layer, index] : [layer, 0, 0, index];
}

/** Scroll a layer to where the sheet, which comes from below, does not cover it. */
function keepInView(layer) {
  const room = (1 - SHEET) * innerHeight;
  const { bottom } = layer.getBoundingClientRect();
  if (bottom > room) scrollBy({ top: bottom - room, behavior: REDUCED_MOTION.matches ? "auto" : "smooth" });
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
