// The dialog for saving: pictures, numbers, the lines that ask for the same from a script, and the link.

import { linkWithPicture } from "./carried_picture.js";
import { element, showMessage } from "./dom.js";
import { readPlace } from "./maps.js";
import { formatCurl, formatPython, planRequest } from "./save_request.js";

const DEFAULTS = { colormap: "viridis", signed: "berlin", scale: "layer", columns: "16" }; // of the API
const EXTENSIONS = { "image/jpeg": "jpg", "image/svg+xml": "svg" };
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;
const CONFIRMED_MS = 2000;
const KEPT_MS = 60_000; // a file that is being saved
const AWAY = "The server does not answer. Try again when it is back.";

export class SaveDialog {
  /** @param {HTMLDialogElement} dialog the page is that of addSaving in saving.js */
  constructor(dialog, page) {
    this.dialog = dialog;
    Object.assign(this, page);
    this.signed = JSON.parse(dialog.dataset.signed); // by theme
    this.what = element("save-what");
    dialog.addEventListener("change", () => this.update());
    dialog.addEventListener("click", ({ target }) => this.click(target));
    document.addEventListener("htmx:after:swap", () => {
      if (this.dialog.open) this.refresh();
    });
  }

  open() {
    if (this.dialog.open) return;
    this.refresh();
    this.dialog.showModal();
  }

  // What the page shows

  /** @returns {import("./save_request.js").View} */
  get view() {
    const data = new FormData(this.form);
    const given = (names) => names.map((name) => [name, data.get(name)]).filter(([, value]) => value);
    const look = {
      signed: this.signed[data.get("theme")],
      ...Object.fromEntries(given(["colormap", "scale", "columns"])),
    };
    // Without a colour map of their own, layers with negative values would have the one that is asked for.
    const isPlain = look.colormap === DEFAULTS.colormap;
    const isKept = ([name, value]) => value !== DEFAULTS[name] || (name === "signed" && !isPlain);
    const fields = given(["pooling", "region", "input", "held", "edits"]);
    if (this.isBlank) fields.push(["blank", "true"]);
    return {
      network: element("rows").dataset.model,
      pooling: data.get("pooling"),
      fields,
      look: [...Object.entries(look).filter(isKept), ...(data.has("differences") ? [["differences", "true"]] : [])],
      files: this.files.map(({ field, name }) => [field, name]),
      selection: this.selection,
    };
  }

  get selection() {
    const panel = element("microscope");
    if (!panel) return null;
    const { layer, channel, row, column } = panel.dataset;
    return {
      layer,
      channel: Number(channel),
      row: Number(row),
      column: Number(column),
      isMap: isSpatial(articleOf(layer)),
    };
  }

  get takesNumbers() {
    return document.querySelector("[data-takes-numbers]") !== null;
  }

  /** The page runs a pad without ink as it is; the API does so where it is asked to. */
  get isBlank() {
    const { canvas, file } = this.pad;
    if (file || this.takesNumbers) return false;
    const { width, height } = canvas;
    const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
    context.drawImage(canvas, 0, 0);
    const { data } = context.getImageData(0, 0, width, height);
    return !data.some((value, at) => at % 4 === 3 && value);
  }

  /** The files that a request sends: the drawing, as the page sends it, and what other inputs hold. */
  get files() {
    const held = Object.entries(this.inputs.pictures).map(([field, file]) => ({ field, file }));
    const drawing = this.pad.file ?? new Blob([this.pad.toPng()], { type: "image/png" });
    const all = this.takesNumbers ? held : [{ field: "drawing", file: drawing }, ...held];
    return all.map(({ field, file }) => ({ field, file, name: `${plainName(field)}.${extensionOf(file)}` }));
  }

  // What the dialog shows

  /** Offer what there is to save now. */
  refresh() {
    const { selection } = this;
    const before = this.what.value;
    const offered = [
      ...(selection ? this.offerSelection(selection) : []),
      offer("network", "the whole network (PNG)"),
      offer("npz", "all activations (NPZ)"),
    ];
    const layers = document.createElement("optgroup");
    layers.label = "All maps of a layer (PNG)";
    for (const article of document.querySelectorAll("article[data-layer]")) layers.append(...offerGrids(article));
    this.what.replaceChildren(...offered, ...(layers.children.length ? [layers] : []));
    if (before && [...this.what.options].some(({ value }) => value === before)) this.what.value = before;
    this.showFiles();
    this.showLink();
    this.update();
  }

  offerSelection({ layer, channel, isMap }) {
    const name = isMap ? `${layer}, map ${channel}` : layer;
    return [
      ...(isMap ? [offer("map", `${name} (PNG)`)] : []),
      offer("csv", `${name}, its values (CSV)`),
      offer("panel", "the microscope (PNG)"),
    ];
  }

  get plan() {
    return planRequest(JSON.parse(this.what.value), this.view, Number(element("save-zoom").value));
  }

  update() {
    const { plan } = this;
    const { kind } = JSON.parse(this.what.value);
    const scale = { csv: null, npz: null, panel: "panel" }[kind];
    for (const each of this.dialog.querySelectorAll("[data-scale]")) {
      each.hidden = each.dataset.scale !== (scale === undefined ? "cells" : scale);
    }
    element("save-name").textContent = plan.name;
    element("save-note").textContent =
      kind === "panel" ? "This page draws the picture; the lines below get its numbers, as JSON." : "";
    element("save-errors").replaceChildren();
    element("save-curl").value = formatCurl(location.origin, plan);
    element("save-python").value = formatPython(location.origin, plan);
  }

  showFiles() {
    const buttons = this.files.map(({ name }) => {
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.file = name;
      button.textContent = `Save ${name}`;
      return button;
    });
    const words = buttons.length ? ["These lines read what is drawn from the folder where they run:"] : [];
    element("save-files").replaceChildren(...words, ...buttons);
  }

  showLink() {
    this.save();
    const { opened } = this.pad;
    const kept = Object.keys(this.inputs.pictures).filter((field) => opened || !this.inputs.strokes[field.slice(5)]);
    const notes = [
      opened && "It holds a small copy of the picture, so the numbers differ a little.",
      kept.length && `It does not hold the picture in ${kept.map((field) => field.slice(5)).join(", ")}.`,
      new FormData(this.form).get("region") && "It does not say which part of the picture is read.",
      LOOPBACK.test(location.hostname) && "It opens on this machine alone, where the server runs.",
    ];
    element("save-link").value = opened && !this.pad.digit ? linkWithPicture(this.pad) : location.href;
    element("save-link-note").textContent = notes.filter(Boolean).join(" ");
  }

  // What it does

  click(target) {
    const copies = target.closest("[data-copy]");
    const file = target.closest("[data-file]");
    if (copies) this.copy(copies, element(copies.dataset.copy));
    else if (file) this.saveDrawing(file.dataset.file);
    else if (target.closest("[data-now]")) this.saveNow(target.closest("[data-now]"));
  }

  async copy(button, field) {
    // Over plain HTTP a browser lets no page write to the clipboard.
    const isCopied = await navigator.clipboard?.writeText(field.value).then(
      () => true,
      () => false,
    );
    if (!isCopied) {
      field.focus();
      field.select();
    }
    button.textContent = isCopied ? "Copied" : "Marked: copy it with Ctrl+C";
    setTimeout(() => {
      button.textContent = "Copy";
    }, CONFIRMED_MS);
  }

  saveDrawing(wanted) {
    const { file, name } = this.files.find((each) => each.name === wanted);
    download(file, name);
  }

  async saveNow(button) {
    const { plan } = this;
    button.disabled = true;
    try {
      const isPanel = JSON.parse(this.what.value).kind === "panel";
      download(await (isPanel ? drawPanel() : this.ask(plan)), plan.name);
      element("save-errors").replaceChildren();
    } catch (error) {
      showMessage(element("save-errors"), error.message);
    }
    button.disabled = false;
    button.focus();
  }

  /** Send the request that the lines send. Rejects with an Error that has the server's sentence. */
  async ask({ path, fields }) {
    const body = new FormData();
    for (const { field, file, name } of this.files) body.set(field, file, name);
    for (const [name, value] of fields) body.set(name, value);
    const answer = await fetch(path, { method: "POST", body }).catch(() => {
      throw new Error(AWAY);
    });
    if (answer.ok) return answer.blob();
    const problem = await answer.json().catch(() => ({}));
    throw new Error(problem.detail ?? `The server refused this (${answer.status}).`);
  }
}

const articleOf = (layer) => document.getElementById(`layer-${layer}`);
const isSpatial = (article) => article?.querySelector(".maps-grid") != null;
const plainName = (text) => text.replace(/[^\w.-]+/g, "-");

const offer = (kind, words, more = {}) => new Option(words, JSON.stringify({ kind, ...more }));

/** A layer's grid; of one with more maps than the page shows at once, those that it shows as well. */
function offerGrids(article) {
  if (!isSpatial(article)) return [];
  const { layer } = article.dataset;
  const maps = article.querySelector(".maps-pager") && article.querySelector(".maps[data-place]");
  if (!maps) return [offer("grid", layer, { layer })];
  const { first, count } = readPlace(maps);
  const some = offer("grid", `${layer}, maps ${first} to ${first + count - 1}`, { layer, first, count });
  return [some, offer("grid", `${layer}, all of its maps`, { layer })];
}

/** The extension of a picture's file, by its kind, else by its own name. */
function extensionOf(file) {
  const [, last] = /\.(\w{2,5})$/.exec(file.name ?? "") ?? [];
  return EXTENSIONS[file.type] ?? (file.type.split("/")[1] || last || "png").toLowerCase();
}

async function drawPanel() {
  const { drawElement } = await import("./panel_picture.js");
  return drawElement(element("microscope"), Number(element("save-ratio").value));
}

function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), KEPT_MS);
}
