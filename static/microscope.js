// The microscope: which map and which cell are looked at. The server draws and computes; this only says where to look.
// Pointing previews, a click holds; Escape lets go of the cell, then of the map.

import { beginEntry, onReturn } from "./address.js";
import { element } from "./dom.js";
import { ARROWS, fillOverlay, markChosen, moveFocus, placeOf } from "./map_buttons.js";
import { clearPartners, markPartners } from "./partners.js";
import { placeIn } from "./picture_place.js";
import { showRegions } from "./receptive_field.js";
import { coveredBy, keepInView, REDUCED_MOTION } from "./sheet.js";

const FIELDS = ["layer", "channel", "row", "column", "precise", "everything"];
const NOTHING = { layer: null, channel: null, row: null, column: null };
// As in layout.css: wide enough for a preview beside or below the maps.
const WIDE = matchMedia("(min-width: 1200px)");
const REST_MS = 60; // how long the pointer rests on a map before it is previewed
const AWAY_MS = 700; // how long it is away from the maps before a sheet with a preview goes

export class Microscope {
  /**
   * @param {HTMLFormElement} form holds the selection and sends it with every request
   * @param {HTMLElement} layers where the grids are
   * @param {HTMLElement} dock where the panel is
   * @param {{save: () => void, inputFrame: () => ?object, isFirstVisit?: () => boolean}} page save keeps the state in the
   *   address; inputFrame says where the network's input lies on the pad
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
    this.clicked = null; // the map that was clicked last, until its panel is there

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
    else if (page.isFirstVisit?.()) this.showExample();
    const chosen = layers.querySelector(".maps-button.is-selected");
    if (chosen) keepInView(chosen, dock);
  }

  /** Preview a cell of the drawing that the page opens with, until another map is pointed at, or the pen goes down. */
  showExample() {
    const { example } = this.dock.dataset;
    if (!example || !WIDE.matches) return;
    const [layer, channel] = example.split(" ");
    this.look(layer, Number(channel));
    this.dock.classList.add("has-example");
    element("canvas").addEventListener("pointerdown", () => this.endExample());
    element("canvas").addEventListener("keydown", () => this.endExample());
  }

  endExample() {
    if (this.isExample) this.restore(NOTHING);
  }

  get isExample() {
    return this.dock.classList.contains("has-example");
  }

  /** Bring the selected layer into view, if it is out of it. */
  bringIntoView() {
    const article = document.getElementById(`layer-${this.selectedLayer}`);
    const { top, bottom } = article?.getBoundingClientRect() ?? {};
    if (bottom < 0 || top > 0.9 * (innerHeight - coveredBy(this.dock))) article.scrollIntoView();
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
    this.dock.classList.remove("has-example");
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
    showRegions(this.panel, this.page.inputFrame);
    if (!this.panel) return;
    this.refreshPanel();
    if (this.clicked) keepInView(this.clicked, this.dock);
    this.clicked = null;
  }

  refreshPanel() {
    const state = element("microscope-state");
    state.textContent = this.holdsCell
      ? "cell held"
      : this.holdsMap
        ? "map held"
        : this.isExample
          ? "for instance"
          : "preview";
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
      if (!button) this.leave();
      else if (pointerType === "mouse" && !this.holdsMap && WIDE.matches && !this.wouldCover(button))
        this.resting = setTimeout(() => this.look(...placeOf(button)), REST_MS);
    });
    this.layers.addEventListener("pointerleave", () => this.leave());
    this.dock.addEventListener("pointerenter", () => clearTimeout(this.resting));
    this.dock.addEventListener("pointerleave", () => this.leave());
    // As pointing does; a screen reader then says what is on the panel.
    this.layers.addEventListener("focusin", ({ target }) => {
      if (!target.matches(".maps-button:focus-visible") || this.holdsMap || !WIDE.matches) return;
      clearTimeout(this.resting);
      if (!this.wouldCover(target)) this.resting = setTimeout(() => this.look(...placeOf(target)), REST_MS);
    });
    this.layers.addEventListener("keydown", (event) => {
      const button = event.target.closest(".maps-button");
      if (button && ARROWS[event.key] && moveFocus(button, ARROWS[event.key])) event.preventDefault();
    });
  }

  wouldCover(button) {
    return button.getBoundingClientRect().bottom > innerHeight - coveredBy(this.dock);
  }

  /** Close a sheet that only previews, a little later: the pointer may be on its way to it. */
  leave() {
    clearTimeout(this.resting);
    if (!this.panel || this.holdsMap || !coveredBy(this.dock)) return;
    this.resting = setTimeout(() => this.restore(NOTHING), AWAY_MS);
  }

  open(button) {
    this.origin = button;
    const place = placeOf(button);
    this.hold(...place);
    this.holdsCell = place.length > 2;
    this.clicked = button;
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
    const isOnMap = target.id?.startsWith("microscope-map");
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
