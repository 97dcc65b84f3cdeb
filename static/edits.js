// Edits of the network: a field of the form holds them as text, and this changes it. The server makes them, and says in
// words what they are.

import { fitsAddress } from "./address.js";
import { showMessage } from "./dom.js";
import { addKernelCells, colourWeights } from "./kernel_cells.js";

const SEPARATOR = ";";

/** The edits with one more, or without it where it is among them, whatever the digits that its number was typed with. */
export function toggleEdit(edits, edit) {
  const target = (each) => each.split("=")[0];
  const made = edits.split(SEPARATOR).filter(Boolean);
  const others = made.filter((each) => target(each) !== target(edit));
  return (others.length < made.length ? others : [...made, edit]).join(SEPARATOR);
}

/** The edits with what a target, as in bias:conv_1.3, is set to; without it where the value is empty. */
export function setEdit(edits, target, value) {
  const others = edits.split(SEPARATOR).filter((each) => each && !each.startsWith(`${target}=`));
  return (value === "" ? others : [...others, `${target}=${value}`]).join(SEPARATOR);
}

/** Whether a text is a number that a float32 holds. */
const isNumber = (text) => text.trim() !== "" && Number.isFinite(Math.fround(Number(text)));

export class Edits {
  /**
   * @param {HTMLFormElement} form holds the edits and sends them with every request
   * @param {HTMLElement} bar where they are listed
   * @param {HTMLElement} dock where they are made
   * @param {{file?: HTMLInputElement, errors?: HTMLElement}} places file: where a file of edits is opened; errors: where
   *   it is said why a file was not
   */
  constructor(form, bar, dock, { file, errors } = {}) {
    this.form = form;
    this.bar = bar;
    this.dock = dock;
    this.field = form.elements.edits;
    this.before = []; // what undoing leads to, the last one first
    this.after = []; // what redoing leads to
    this.isOpen = false; // the kernels are shown, which morphing would hide again
    form.elements.model.addEventListener("change", () => {
      this.before = [];
      this.after = [];
    });
    this.errors = errors;
    file?.addEventListener("change", () => this.open(file));
    for (const place of [bar, dock]) place.addEventListener("click", (event) => this.click(event));
    dock.addEventListener("change", ({ target }) => this.type(target));
    this.dragged = null; // the edits before a number was dragged that still is
    this.sendMove = () => {}; // asks for an answer behind the one under way, as moves of the pen do
    addKernelCells(dock, (input, isDone) => this.drag(input, isDone));
    document.addEventListener("htmx:after:swap", () => this.refresh());
    this.refresh();
  }

  click({ target }) {
    if (target.closest(".edits-controls summary")) this.isOpen = !this.kernels.open; // once this click is done
    const { edit, edits, editsSave } = target.closest("[data-edit], [data-edits], [data-edits-save]")?.dataset ?? {};
    if (editsSave) this.save(editsSave);
    else if (edit) this.make(toggleEdit(this.field.value, edit));
    else if (edits === "reset") this.make("");
    else if (edits) this.step(...(edits === "undo" ? [this.before, this.after] : [this.after, this.before]));
  }

  /** Save the edited network, or its edits. ending: of the file. */
  async save(ending) {
    const { network, pooling } = this.bar.firstElementChild.dataset;
    await this.try(async ({ saveEdits }) => saveEdits(ending, { model: network, edits: this.field.value, pooling }));
  }

  /** Make the edits in the file that was chosen. */
  async open(input) {
    const [file] = input.files;
    input.value = ""; // so that the same one can be chosen again
    if (file) await this.try(async ({ readEdits }) => this.make(await readEdits(file, this.form.elements.model.value)));
  }

  /** Do something with files, and say where it fails why. The script of files is loaded when it is needed. */
  async try(act) {
    try {
      await act(await import("./edits_files.js"));
      this.errors.replaceChildren();
    } catch (error) {
      showMessage(this.errors, error.message);
    }
  }

  get kernels() {
    return this.dock.querySelector(".edits-controls details");
  }

  /** A number of a kernel moves: the answer follows, and there is one step to undo when it stays. */
  drag(input, isDone) {
    const edits = this.textOf(input);
    if (edits === null) return;
    this.dragged ??= this.field.value;
    this.field.value = edits;
    colourWeights(this.dock);
    if (!isDone) return this.sendMove();
    this.before.push(this.dragged);
    this.after = [];
    this.dragged = null;
    input.defaultValue = input.value; // which needs no other change when the field is left
    this.send(edits);
  }

  type(input) {
    if (input.matches("[data-kernels]")) {
      const numbers = input.value.split(",");
      const inputs = [...input.closest("fieldset").querySelectorAll("input")];
      if (numbers.length !== inputs.length) return;
      for (const [at, each] of inputs.entries()) each.value = numbers[at];
      this.make(this.textOf(inputs[0]));
      return;
    }
    if (!input.closest("[data-edit-target]")) return;
    const edits = this.textOf(input);
    if (edits === null) input.value = input.defaultValue;
    else this.make(edits);
  }

  /** The edits with what an element sets, as it stands there; null where that is no number. */
  textOf(input) {
    const place = input.closest("[data-edit-target]");
    const inputs = place.matches("fieldset") ? [...place.querySelectorAll("input")] : [input];
    const values = inputs.map(({ value }) => value);
    if (!place.matches("select") && !values.every(isNumber)) return null;
    return setEdit(this.field.value, place.dataset.editTarget, values.join(","));
  }

  make(edits) {
    if (edits === this.field.value) return;
    this.before.push(this.field.value);
    this.after = [];
    this.send(edits);
  }

  step(from, to) {
    if (!from.length) return;
    to.push(this.field.value);
    this.send(from.pop());
  }

  send(edits) {
    this.field.value = edits;
    this.refreshBar();
    this.form.dispatchEvent(new Event("change"));
  }

  /** After an answer: what was typed once no longer follows its attribute, which is what morphing changes. */
  refresh() {
    this.refreshBar();
    if (this.kernels) this.kernels.open = this.isOpen;
    for (const input of this.dock.querySelectorAll("[data-edit-target] input, input[data-edit-target]"))
      if (input !== document.activeElement) input.value = input.defaultValue;
    colourWeights(this.dock);
    for (const option of this.dock.querySelectorAll("[data-edit-target] option"))
      option.selected = option.defaultSelected;
  }

  refreshBar() {
    const bar = this.bar.firstElementChild;
    const states = { undo: this.before.length, redo: this.after.length, reset: this.field.value };
    for (const [name, state] of Object.entries(states)) bar.querySelector(`[data-edits=${name}]`).disabled = !state;
    const fits = fitsAddress(this.field.value);
    bar.querySelector(".edits-too-many").hidden = fits;
    const cost = bar.querySelector(".edits-cost"); // of the edits as they are now, whose answer may still be on its way
    const { network, pooling } = bar.dataset;
    if (cost) {
      cost.search = new URLSearchParams({ model: network, edits: this.field.value, ...(pooling && { pooling }) });
      cost.hidden = !fits;
    }
    bar.hidden = !this.field.value && !this.before.length && !this.after.length;
  }
}
