// What works on the pad from beside it: the tools, their keys, the samples, and pictures to open.

import { element } from "./dom.js";
import { readDrop } from "./files.js";
import { decodeBase64 } from "./pad.js";
import { encodeStrokes } from "./strokes.js";

const SAMPLE_MS = 500; // that a sample waits for the server's own picture of it

let chosen = null; // the sample that was clicked last

/** @param {import("./pad.js").Pad} pad */
export function connectTools(pad) {
  for (const radio of document.getElementsByName("tool")) {
    radio.addEventListener("change", () => {
      pad.tool = radio.value;
    });
  }
  for (const radio of document.getElementsByName("colour")) {
    radio.addEventListener("change", () => {
      pad.colour = radio.value;
      element("pen").click(); // choosing a colour means drawing with it
    });
  }
  element("pen-width").addEventListener("input", (event) => {
    pad.penWidth = Number(event.target.value);
  });
  element("undo").addEventListener("click", () => pad.undo());
  element("redo").addEventListener("click", () => pad.redo());
  element("clear").addEventListener("click", () => pad.clear());
  for (const button of document.querySelectorAll("[data-sample]")) {
    button.addEventListener("click", async () => {
      chosen = button;
      const png = await fetchSample(button);
      if (chosen === button) pad.replace(readSample(button), png); // else another one was clicked meanwhile
    });
  }
  document.addEventListener("keydown", (event) => {
    if (!pressKey(pad, event)) return;
    event.preventDefault();
  });
}

/** Do what a key means on every part of the page; false if it means nothing. */
function pressKey(pad, event) {
  const isCommand = event.ctrlKey || event.metaKey;
  const key = event.key.toLowerCase();
  if (isCommand && key === "z" && !event.shiftKey) pad.undo();
  else if (isCommand && (key === "y" || key === "z")) pad.redo();
  else if (event.key === "Delete" && event.target === pad.canvas) pad.clear();
  else return false;
  return true;
}

/** Whether there is something to undo and to redo. */
export function showHistory(pad) {
  element("undo").disabled = pad.strokes.length === 0;
  element("redo").disabled = pad.undone.length === 0;
}

/** The strokes of a sample, which its button shows. */
export function readSample(button) {
  return [...button.querySelectorAll("polyline")].map((line) => ({
    tool: "pen",
    width: 18,
    points: [...line.points].map(({ x, y }) => [x, y]),
  }));
}

/** The server's own picture of a sample, as bytes; null where it does not come. */
async function fetchSample({ dataset }) {
  if (dataset.png) return decodeBase64(dataset.png);
  try {
    const response = await fetch(`/samples/${dataset.sample}.png`, { signal: AbortSignal.timeout(SAMPLE_MS) });
    return response.ok ? new Uint8Array(await response.arrayBuffer()) : null;
  } catch {
    return null; // the server is away, or slow: what the pad shows will do
  }
}

/** Begin with a sample where the strokes on the pad are those of one, as after a page was loaded again. */
export async function recogniseSample(pad) {
  const drawn = encodeStrokes(pad.drawn);
  const samples = [...document.querySelectorAll("[data-sample]")];
  const sample = samples.find((button) => encodeStrokes(readSample(button)) === drawn);
  if (!sample || pad.opened) return;
  if (sample.dataset.png) {
    pad.keepPrint(decodeBase64(sample.dataset.png));
    return;
  }
  const png = await fetchSample(sample);
  if (encodeStrokes(pad.drawn) !== drawn) return;
  pad.keepPrint(png);
  pad.onChange();
}

/**
 * Hand over each file that is chosen, dropped anywhere, or pasted.
 * @param {(file: File) => void} open
 * @param {(error: Error) => void} refuse says why what was dropped is not opened
 */
export function listenForFiles(open, refuse) {
  const openFirst = ([file]) => file && open(file);
  element("picture").addEventListener("change", (event) => {
    openFirst(event.target.files);
    event.target.value = "";
  });
  document.addEventListener("paste", (event) => openFirst(event.clipboardData.files));
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    element("pad").classList.add("is-target");
  });
  for (const end of ["dragleave", "drop"]) {
    document.addEventListener(end, () => element("pad").classList.remove("is-target"));
  }
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    readDrop(event.dataTransfer).then((file) => openFirst([file]), refuse);
  });
}
