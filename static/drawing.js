// What every page with a pad shares: the pad with its tools, samples and pictures, the form that htmx sends, the
// address, and what to do when the server is away. htmx does the exchange; nothing here draws a result.

import { readDrawing, writeAddress } from "./address.js";
import { withPicture } from "./multipart.js";
import { isModelFile } from "./own_models.js";
import { Pad } from "./pad.js";

const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 8000;

const element = (id) => document.getElementById(id);

/**
 * Join the pad to a form that htmx sends on the event "drawing".
 * @param {HTMLFormElement} form
 * @param {HTMLElement[]} results what is dimmed while it is of another drawing than the pad's
 * @param {?(file: File) => void} openModel takes a model's file that was dropped or pasted; without it, that is no picture
 * @returns {{pad: Pad, send: () => void, save: () => void}} send asks for the results again; save keeps the state in
 *   the address
 */
export function connectPad(form, results, openModel = null) {
  const canvas = element("canvas");
  const errors = element("errors");
  const { model } = form.elements;
  let refused = null; // a file that is no picture for this browser: sent once, for the server to say what is wrong
  let retry = 0;
  let failures = 0; // one after the other, since the last answer
  let underWay = null; // the request of the form whose answer is waited for, as htmx' context
  let isDue = false; // another one, when that is answered

  const pad = new Pad(canvas, element("keyboard-pen"), onPadChange);
  // htmx takes charge of the form in a task of its own, before or after this script runs.
  const isListening = () => form.hasAttribute("data-htmx-powered");
  // While the server wants a pause nothing is sent; when the pause ends, the newest drawing is. So it is while an answer
  // is under way: htmx would give it up for every move of the pen, and nothing would ever be shown.
  const send = () => {
    isDue = underWay !== null;
    if (isListening() && !retry && !underWay) form.dispatchEvent(new CustomEvent("drawing"));
  };
  if (!isListening()) form.addEventListener("htmx:after:init", send, { once: true });
  const save = () => writeAddress(form, pad.picture ? null : pad.strokes);

  function onPadChange() {
    element("undo").disabled = pad.strokes.length === 0;
    element("redo").disabled = pad.undone.length === 0;
    canvas.classList.toggle("holds-picture", pad.picture !== null);
    frameInput(pad, model);
    send();
    if (!pad.current) save();
  }

  // The drawing is put in when a request leaves, not when it is queued: only what is sent is encoded, and it is always
  // the newest.
  form.addEventListener("htmx:before:request", (event) => {
    const { ctx } = event.detail;
    const file = refused ?? pad.file;
    refused = null;
    if (file) ctx.request.body.set("drawing", file, file.name);
    else ctx.fetch = (path, request) => fetch(path, withPicture(request, "drawing", pad.toPng()));
  });
  form.addEventListener("change", save);

  form.addEventListener("htmx:before:request", ({ target, detail }) => target === form && (underWay = detail.ctx));
  form.addEventListener("htmx:finally:request", ({ detail }) => end(detail.ctx));

  function end(ctx) {
    if (ctx !== underWay) return; // another form's, or one that was given up for the next
    underWay = null;
    if (isDue) send();
  }

  form.addEventListener("htmx:after:request", (event) => {
    const { ctx } = event.detail;
    const { status, headers } = ctx.response;
    endPause();
    if (status < 400) errors.replaceChildren();
    const isBusy = status >= 500 || status === 429;
    // What is shown is of another drawing: of one that was wiped out, or of one before the server failed.
    const isStale = isBusy || (status >= 400 && pad.isEmpty);
    for (const each of results) each.classList.toggle("is-stale", isStale);
    if (isBusy) tryAgain(1000 * (Number(headers.get("Retry-After")) || 0));
    else failures = 0;
    // The next one leaves before this answer is put on the page: the server computes meanwhile. But a list of layers must
    // be there first, since each request says which one the page has.
    if (!ctx.text.includes(" data-listed=")) end(ctx);
  });

  // The server went away, or takes too long: say so, keep everything, and go on when it is back.
  form.addEventListener("htmx:error", (event) => {
    if (event.detail.ctx.response) return;
    const sentence = document.createElement("p");
    sentence.textContent = "The server does not answer. Your drawing is safe here; it is sent when the server is back.";
    errors.replaceChildren(sentence);
    tryAgain();
  });

  // Twice as long after each failure, and never less than the server asks for. Part of it is chance, so that all who
  // were sent away together do not come back together.
  function tryAgain(least = 0) {
    endPause();
    const pause = Math.max(least, Math.min(FIRST_RETRY_MS * 2 ** failures++, LONGEST_RETRY_MS));
    retry = setTimeout(() => (endPause(), send()), pause * (1 + Math.random() / 2));
  }

  function endPause() {
    clearTimeout(retry);
    retry = 0;
  }

  /** Pictures: the pad shows them where the browser can read them. */
  async function open(file) {
    if (!file) return;
    if (openModel && isModelFile(file)) {
      openModel(file);
      return;
    }
    try {
      pad.show(await createImageBitmap(file), file);
    } catch {
      // The pad stays as it was.
      refused = file;
      send();
    }
  }

  listenToTools(pad, canvas);
  listenForPictures(open);
  suitModel(pad, model);
  model.addEventListener("change", () => suitModel(pad, model));
  document.addEventListener("htmx:after:swap", () => suitModel(pad, model));

  // The drawing of the address, else the sample that the page was made with; what was drawn before this ran is kept.
  if (!pad.strokes.length) {
    pad.strokes = readDrawing() ?? sampleStrokes(document.querySelector("[data-first]"));
    pad.redraw();
  }
  addEventListener("hashchange", () => {
    const strokes = readDrawing();
    if (strokes) pad.replace(strokes);
  });
  // A link to another page with a pad, followed before the last stroke is in the address
  document.addEventListener("click", (event) => event.target.closest("a[data-keeps-drawing]") && save());

  return { pad, send, save };
}

function listenToTools(pad, canvas) {
  for (const radio of document.getElementsByName("tool")) {
    radio.addEventListener("change", () => (pad.tool = radio.value));
  }
  for (const radio of document.getElementsByName("colour")) {
    radio.addEventListener("change", () => {
      pad.colour = radio.value;
      element("pen").click(); // to choose a colour is to draw with it
    });
  }
  element("pen-width").addEventListener("input", (event) => (pad.penWidth = Number(event.target.value)));
  element("undo").addEventListener("click", () => pad.undo());
  element("redo").addEventListener("click", () => pad.redo());
  element("clear").addEventListener("click", () => pad.clear());
  for (const button of document.querySelectorAll("[data-sample]")) {
    button.addEventListener("click", () => pad.replace(sampleStrokes(button)));
  }
  document.addEventListener("keydown", (event) => {
    const command = event.ctrlKey || event.metaKey;
    const key = event.key.toLowerCase();
    if (command && key === "z") event.shiftKey ? pad.redo() : pad.undo();
    else if (command && key === "y") pad.redo();
    else if (event.key === "Delete" && event.target === canvas) pad.clear();
    else return;
    event.preventDefault();
  });
}

/**
 * What the chosen model sees: its number of channels, its fit, and its input's size. The last answer knows it best, where
 * it is that model's; before its first answer, or while the pad is empty, its option in the choice of models says it.
 */
function seenByModel(model) {
  const [option] = model.selectedOptions;
  const { dataset: answered } = document.querySelector("#answer [data-channels]");
  const isAnswered = answered.seenBy === option?.value || !option?.dataset.channels;
  return isAnswered ? answered : option.dataset;
}

/** Colours for a model that sees them, black for one that sees none; and a drawing as large as its input can use. */
function suitModel(pad, model) {
  const { channels } = seenByModel(model);
  const inColour = channels === "3" || channels === "4";
  element("colours").hidden = !inColour;
  element("pad").classList.toggle("is-in-colour", inColour);
  pad.showColours(inColour);
  // Not the size of the last answer's image: where the input's size is free, that is the drawing's own.
  const { size } = model.selectedOptions[0]?.dataset ?? {};
  pad.suitInput(size ? Math.max(...size.split(" ").map(Number)) : Infinity);
  frameInput(pad, model);
}

/** A frame around what the network gets, where its input is filled with the drawing's middle and cuts the rest off. */
function frameInput(pad, model) {
  const frame = element("frame");
  const { fit, size } = seenByModel(model);
  const { extent } = pad;
  const [width, height] = fit === "fill" && size ? size.split(" ").map(Number) : [extent.width, extent.height];
  const scale = Math.min(extent.width / width, extent.height / height);
  const [across, down] = [width * scale, height * scale];
  frame.hidden = across === extent.width && down === extent.height;
  Object.assign(frame.style, {
    width: `${across * 100}%`,
    height: `${down * 100}%`,
    left: `${(1 - across) * 50}%`,
    top: `${(1 - down) * 50}%`,
  });
}

function sampleStrokes(button) {
  const lines = [...button.querySelectorAll("polyline")];
  return lines.map((line) => ({
    tool: "pen",
    width: 18,
    points: [...line.points].map(({ x, y }) => [x, y]),
  }));
}

/** Pictures: opened, dropped anywhere, or pasted. */
function listenForPictures(open) {
  element("picture").addEventListener("change", (event) => {
    open(event.target.files[0]);
    event.target.value = "";
  });
  document.addEventListener("paste", (event) => {
    const file = [...event.clipboardData.files][0];
    if (file) open(file);
  });
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    element("pad").classList.add("is-target");
  });
  for (const end of ["dragleave", "drop"]) {
    document.addEventListener(end, () => element("pad").classList.remove("is-target"));
  }
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    open(event.dataTransfer.files[0]);
  });
}
