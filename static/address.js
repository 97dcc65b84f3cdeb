// The address bar holds the state: the form's choices in the query, the strokes in the fragment, which never leaves the
// browser.

import { decodeStrokes, encodeStrokes } from "./strokes.js";

export const SELECTION = ["layer", "channel", "row", "column"]; // of the microscope
const CHOICES = [
  ...["model", "pooling", "weights", "colormap", "scale"],
  ...["input", "held"], // of a model of several inputs
  "edits", // of the network
  ...["invert", "differences"], // of the comparison
  ...["target", "against"], // of the explanation
  ...["other", "other_pooling"], // of two networks side by side
  ...SELECTION,
];
export const LESSON = "lesson"; // the step that stands beside the page: in its address, and in no form

const DIGIT = "digit"; // one of those that come with Layerglass, alone on the pad
const OWN = { isOwn: true }; // the state of the entries in the browser's history that this page has written
const KEPT = "held."; // before an input's name, in the fragment

const LONGEST_EDITS = 6000; // characters in an address; the server takes 8,192 of all of it

/** Whether edits can be in an address: more of them are kept in a file. */
export const fitsAddress = (edits) => new URLSearchParams({ edits }).toString().length <= LONGEST_EDITS;

/**
 * The address, from its query on.
 * @param {FormData} data the form's fields; those that are no choices, or empty, are left out
 * @param {?import("./strokes.js").Stroke[]} strokes null where the pad holds a picture, which no address can keep
 * @param {Record<string, import("./strokes.js").Stroke[]>} kept drawings that other inputs hold, by input
 * @param {?string} digit the real digit that the pad holds, as in test-7
 */
export function formatAddress(data, strokes, kept = {}, digit = null) {
  const chosen = [...CHOICES, LESSON].map((name) => [name, data.get(name)]).filter(([, value]) => value);
  if (digit) chosen.push([DIGIT, digit]);
  const drawings = Object.entries(kept).map(([name, each]) => [`${KEPT}${name}`, encodeStrokes(each)]);
  if (strokes) drawings.unshift(["d", encodeStrokes(strokes)]);
  return `?${new URLSearchParams(chosen)}${drawings.length ? `#${new URLSearchParams(drawings)}` : ""}`;
}

/** The drawings in an address's fragment that other inputs hold, by input; those that cannot be read are left out. */
export function parseKept(fragment) {
  const kept = [...new URLSearchParams(fragment.slice(1))].filter(([name]) => name.startsWith(KEPT));
  const drawings = kept.map(([name, text]) => [name.slice(KEPT.length), decodeStrokes(text)]);
  return Object.fromEntries(drawings.filter(([, strokes]) => strokes));
}

/** The strokes in an address's fragment, or null. */
export function parseDrawing(fragment) {
  const text = new URLSearchParams(fragment.slice(1)).get("d");
  return text === null ? null : decodeStrokes(text);
}

/** The real digit that an address's query names, or null. */
export function parseDigit(search) {
  const digit = new URLSearchParams(search).get(DIGIT);
  return /^(test|training)-\d{1,5}$/.test(digit ?? "") ? digit : null;
}

/**
 * The address of another page, with this page's choices and drawing, but for a model of its own.
 * @param {string} path
 * @param {{search: string, hash: string}} here
 * @param {?string} model
 * @param {?string} selection of the microscope: layer, channel, row and column, separated by spaces; as many as there are
 */
export function carryState(path, { search, hash }, model = null, selection = null) {
  const query = new URLSearchParams(search);
  if (model && model !== query.get("model")) query.delete("edits"); // it has other layers
  if (model) query.set("model", model);
  if (selection) for (const [at, value] of selection.split(" ").entries()) query.set(SELECTION[at], value);
  return `${path}?${query}${hash}`;
}

/** The drawing in the address bar, or null. */
export const readDrawing = () => parseDrawing(location.hash);

/** The real digit that the address bar names, or null. */
export const readDigit = () => parseDigit(location.search);

/** The drawings in the address bar that other inputs hold. */
export const readKept = () => parseKept(location.hash);

/** Begin a new entry in the history, so that Back leads to the selection as it is now. */
export const beginEntry = () => history.pushState(OWN, "", location.href);

/** Hand over the selection that Back and Forward lead to; null where nothing is selected. */
export function onReturn(select) {
  addEventListener("popstate", ({ state }) => {
    if (!state?.isOwn) return; // an address that was typed
    const query = new URLSearchParams(location.search);
    select(Object.fromEntries(SELECTION.map((name) => [name, query.get(name)])));
  });
}

/** Put the form's choices and all drawings into the address bar, without a new entry in the history. */
export function writeAddress(form, strokes, kept, digit) {
  const data = new FormData(form);
  // What is only pointed at is no state: all of the selection, or from the row on.
  const { previews } = form.dataset;
  if (previews) for (const name of SELECTION.slice(SELECTION.indexOf(previews))) data.delete(name);
  if (!fitsAddress(data.get("edits") ?? "")) data.delete("edits");
  data.set(LESSON, new URLSearchParams(location.search).get(LESSON) ?? "");
  const { href } = new URL(formatAddress(data, strokes, kept, digit), location.href);
  // Writing it again would break off a step through the history that is under way.
  if (href !== location.href || !history.state) history.replaceState(OWN, "", href);
  updateLinks();
}

/** Let the links to other pages with a pad keep the drawing and the choices. */
export function updateLinks() {
  for (const link of document.querySelectorAll("a[data-keeps-drawing]")) {
    link.href = carryState(link.pathname, location, link.dataset.model, link.dataset.selection);
  }
}
