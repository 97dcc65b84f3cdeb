// An opened picture from page to page, and in a link. The address holds strokes alone: so this tab keeps the picture
// for its other pages, and a link that is copied may hold a small copy.

import { SIDE } from "./crop.js";
import { fitInto } from "./picture_files.js";

const KEPT = "layerglass.picture";
const LINKED = "p"; // in the fragment
const LINKED_SIDE = 96; // pixels of a link's copy, a few times what most networks see
const LINKED_QUALITY = 0.6;

/** Keep the pad's picture, or what is left of it under the strokes, while this tab is open; forget it if it is gone. */
export function keepPicture(pad) {
  try {
    if (pad.opened) sessionStorage.setItem(KEPT, copyOf(pad).toDataURL());
    else sessionStorage.removeItem(KEPT);
  } catch {
    // The browser keeps nothing here, or no more.
  }
}

/** The picture that the address holds, else the one that this tab kept, as a file; null if there is neither. */
export function readCarried() {
  const linked = new URLSearchParams(location.hash.slice(1)).get(LINKED);
  try {
    const text = linked ? linked.replaceAll("-", "+").replaceAll("_", "/") : readKept()?.split(",")[1];
    if (!text) return null;
    return new File([Uint8Array.from(atob(text), (character) => character.charCodeAt(0))], "picture");
  } catch {
    return null; // the link was cut short
  }
}

function readKept() {
  try {
    return sessionStorage.getItem(KEPT);
  } catch {
    return null;
  }
}

/** The page's address with a small copy of the pad's picture. */
export function linkWithPicture(pad) {
  const canvas = copyOf(pad, LINKED_SIDE);
  const [, data] = canvas.toDataURL("image/webp", LINKED_QUALITY).split(",");
  const text = data.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
  return `${location.origin}${location.pathname}${location.search}#${LINKED}=${text}`;
}

/** The picture at its own shape, with what was drawn on it. */
function copyOf(pad, side = Infinity) {
  const canvas = document.createElement("canvas");
  const { bitmap } = pad.picture;
  const isUntouched = pad.file !== null;
  Object.assign(canvas, fitInto(isUntouched ? bitmap : { width: 2 * SIDE, height: 2 * SIDE }, side));
  const context = canvas.getContext("2d");
  context.drawImage(isUntouched ? bitmap : pad.canvas, 0, 0, canvas.width, canvas.height);
  return canvas;
}
