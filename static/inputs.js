// The inputs beside the drawing: which one is drawn into, and what the others hold, as sliders, a number, or a drawing
// that was kept. The server renders the controls for each model; the form sends the numbers, and the pictures go along.

import { SIDE } from "./crop.js";
import { element } from "./dom.js";
import { Pad } from "./pad.js";
import { openPictureFile } from "./picture_files.js";
import { makeNormal } from "./random.js";

const MOST_SLIDERS = 100;
const FROM = -3;
const TO = 3;
const STEP = 0.01;
const KEPT_IN_FILE = "A picture from a file: the page's link does not hold it.";

/** A number as short as it can be said, to a hundredth. */
export const shorten = (value) => Math.round(value * 100) / 100;

/** All numbers of an input, row by row, of what it holds: one number for all, or each. */
export const spread = (value, count) => (Array.isArray(value) ? [...value] : new Array(count).fill(value));

/** What the form sends for the inputs that hold other numbers than by default; "" if none does. */
export function formatHeld(values, defaults) {
  const changed = Object.entries(values).filter(
    ([name, value]) => JSON.stringify(value) !== JSON.stringify(defaults[name]),
  );
  return changed.length ? JSON.stringify(Object.fromEntries(changed)) : "";
}

export class Inputs {
  /**
   * @param {HTMLFormElement} form
   * @param {import("./pad.js").Pad} pad
   * @param {Record<string, import("./strokes.js").Stroke[]>} kept strokes that the address holds, by input
   * @param {{send: () => void, save: () => void}} page send asks for the results again; save keeps the state in the address
   */
  constructor(form, pad, kept, { send, save }) {
    this.form = form;
    this.pad = pad;
    this.send = send;
    this.save = save;
    this.place = element("inputs");
    // By input. An address may be that of another model.
    const known = Object.entries(kept).filter(([name]) => this.fields.some(({ dataset }) => dataset.input === name));
    this.kept = new Map(known.map(([name, strokes]) => [name, drawApart(strokes)]));
    this.shown = null; // the controls that were set up
    // Before htmx sends the form: the names of the last model's inputs are none of the next one's.
    form.elements.model.addEventListener("change", () => this.leave());
    this.place.addEventListener("input", (event) => this.change(event.target));
    this.place.addEventListener("change", (event) => event.target.name === "input" && this.swap(event.target.value));
    this.place.addEventListener("click", (event) => this.click(event.target));
    document.addEventListener("htmx:after:swap", () => this.setUp());
    this.setUp();
  }

  get fields() {
    return [...this.place.querySelectorAll("[data-input]")];
  }

  /** The hidden field of the form; none for a model of one image. */
  get held() {
    return this.place.querySelector("input[name=held]");
  }

  /** The strokes of kept drawings, by input, for the address. */
  get strokes() {
    return Object.fromEntries([...this.kept].map(([name, { strokes }]) => [name, strokes]).filter(([, each]) => each));
  }

  /** The pictures that inputs hold, by the field that the server takes them in. */
  get pictures() {
    return Object.fromEntries([...this.kept].map(([name, { file }]) => [`held_${name}`, file]));
  }

  leave() {
    for (const each of this.place.querySelectorAll("[name=input], [name=held]")) each.disabled = true;
    this.kept.clear();
    for (const each of this.fields) each.remove();
  }

  /** Set up new controls, once. */
  setUp() {
    const { firstElementChild: first } = this.place;
    if (first === this.shown) return;
    this.shown = first;
    const held = this.held?.value ? JSON.parse(this.held.value) : {};
    this.defaults = Object.fromEntries(this.fields.map(({ dataset }) => [dataset.input, JSON.parse(dataset.default)]));
    this.values = { ...this.defaults, ...held };
    for (const field of this.fields) {
      if (field.dataset.kind === "vector") this.addSliders(field);
      this.show(field);
    }
  }

  addSliders(field) {
    const count = Number(field.dataset.shape);
    const shown = Math.min(count, MOST_SLIDERS);
    for (let index = 0; index < shown; index++) {
      const label = document.createElement("label");
      label.innerHTML = `<span>${index}</span><input type="range" min="${FROM}" max="${TO}" step="${STEP}"><output></output>`;
      const slider = label.querySelector("input");
      slider.dataset.index = index;
      slider.ariaLabel = `${field.dataset.input}, number ${index}`;
      field.querySelector(".inputs-sliders").append(label);
    }
    if (shown < count) field.querySelector("[data-note]").textContent = `The first ${shown} of ${count} numbers.`;
  }

  /** Show what an input holds. */
  show(field) {
    const { input: name, kind } = field.dataset;
    const value = this.values[name];
    if (kind === "image") this.showKept(field, this.kept.get(name));
    if (kind === "array") field.querySelector("[data-all]").value = Array.isArray(value) ? "" : value;
    if (kind !== "vector") return;
    const numbers = spread(value, Number(field.dataset.shape));
    for (const slider of field.querySelectorAll("[data-index]")) {
      const number = numbers[slider.dataset.index];
      slider.value = number;
      slider.nextElementSibling.textContent = shorten(number);
    }
    const chosen = field.querySelector("[data-one-hot]");
    const isOneHot = numbers.every((number) => number === 0 || number === 1) && numbers.filter(Boolean).length === 1;
    if (chosen) chosen.value = isOneHot ? numbers.indexOf(1) : "";
  }

  showKept(field, kept) {
    const image = field.querySelector("img");
    image.hidden = !kept;
    field.querySelector("[data-clear]").hidden = !kept;
    if (kept) image.src = kept.url;
    else image.removeAttribute("src");
    const note = kept ? (kept.strokes ? "" : KEPT_IN_FILE) : `It holds ${this.values[field.dataset.input]} everywhere.`;
    field.querySelector("[data-note]").textContent = note;
  }

  change(control) {
    const field = control.closest("[data-input]");
    if (!field) return;
    const count = Number(field.dataset.shape);
    const { index, seed, oneHot, all } = control.dataset;
    if (index !== undefined) {
      const numbers = spread(this.values[field.dataset.input], count);
      numbers[index] = Number(control.value);
      this.hold(field, numbers);
    } else if (oneHot !== undefined && control.value !== "") {
      this.hold(
        field,
        Array.from({ length: count }, (_, at) => Number(at === Number(control.value))),
      );
    } else if (seed !== undefined) this.drawRandom(field);
    else if (all !== undefined && control.value !== "") this.hold(field, Number(control.value));
  }

  click({ dataset, parentElement }) {
    const field = parentElement?.closest("[data-input]");
    if (!field) return;
    if (dataset.zero !== undefined) this.hold(field, 0);
    if (dataset.keep !== undefined) this.keep(field, this.pad.snapshot());
    if (dataset.clear !== undefined) this.keep(field, null);
    if (dataset.random === undefined) return;
    const seed = field.querySelector("[data-seed]");
    seed.value = (Number(seed.value) + 1) % 100_000;
    this.drawRandom(field);
  }

  drawRandom(field) {
    const next = makeNormal(Number(field.querySelector("[data-seed]").value));
    this.hold(
      field,
      Array.from({ length: Number(field.dataset.shape) }, () => shorten(next())),
    );
  }

  hold(field, value) {
    this.values[field.dataset.input] = value;
    this.held.value = formatHeld(this.values, this.defaults);
    this.show(field);
    this.send();
    this.save();
  }

  keep(field, picture) {
    const { input: name } = field.dataset;
    if (picture) this.kept.set(name, picture);
    else this.kept.delete(name);
    this.showKept(field, picture);
    this.send();
    this.save();
  }

  /** Draw into another input: the drawing stays in the one that it was drawn into, and what the other held comes back. */
  swap(name) {
    const before = [...this.place.querySelectorAll("[name=input] option")].find(
      (option) => option.defaultSelected,
    ).value;
    const held = this.kept.get(name);
    this.kept.delete(name);
    delete this.values[name];
    this.held.value = formatHeld(this.values, this.defaults);
    this.kept.set(before, this.pad.snapshot());
    this.save();
    if (held?.strokes) this.pad.replace(held.strokes);
    else if (held) openPictureFile(held.file).then(({ picture }) => this.pad.show(picture));
    else this.send();
  }
}

/** What the pad would be with these strokes. */
function drawApart(strokes) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIDE;
  const pad = new Pad(canvas);
  pad.strokes = strokes;
  pad.redraw();
  return pad.snapshot();
}
