// Picture files as people have them: decoded by the browser where it can, and made small enough for the server.

import { element } from "./dom.js";

const REDUCED_SIDE = 2048; // pixels of a picture that is made smaller; its ink is looked for in 1024 at most
const VECTOR_SIDE = 1024; // pixels of a drawing without any
const HEAD = 64 * 1024; // bytes by which the server knows what a file is
const CUT_SHORT = /cut short/; // what the server says of a file whose end is missing, as it is where only the head was sent
const NO_PICTURE = /^This is not a picture/; // what the server says of a file that it does not know
const JPEG_QUALITY = 0.92;
const SAMPLED_SIDE = 64; // pixels of the copy in which transparency is looked for
const SHRINK = 0.7; // of a side, where a picture still has too many bytes

/**
 * @typedef {{bitmap: ImageBitmap|HTMLCanvasElement, file: Blob, original: Blob, crop: ?object, digit: ?string}}
 *   Picture what the pad shows, what is sent, what was opened, the part of it that is read, and which real digit it is
 */

/** Whether the server reads this format, by a file's first bytes. */
export function isReadByServer(head) {
  const text = String.fromCharCode(...head.subarray(0, 16));
  return (
    /^(\x89PNG|\xff\xd8\xff|GIF8|BM|II\*\0|MM\0\*|II\+\0|MM\0\+|P[1-6][\s#])/.test(text) ||
    (text.startsWith("RIFF") && text.slice(8, 12) === "WEBP") ||
    ["ftypavif", "ftypavis"].includes(text.slice(4, 12))
  );
}

/** Whether the server knows better than a browser what a file shows: a TIFF, or a PNG of 16 bits. */
export function isShownByServer(head) {
  const text = String.fromCharCode(...head.subarray(0, 4));
  return /^(II[*+]|MM\0[*+]|P[1-6][\s#])/.test(text) || (text === "\x89PNG" && head[24] === 16);
}

/** Width and height with this longer side, in whole pixels; never larger than they were. */
export function fitInto({ width, height }, side) {
  const scale = Math.min(1, side / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

/**
 * What is said of a picture that was changed before it was sent.
 * @param {{width: number, height: number}} before
 * @param {{width: number, height: number}} after
 * @param {boolean} isConverted it was of a format that the server does not read
 */
export function describeChange(before, after, isConverted) {
  const size = ({ width, height }) => `${width.toLocaleString("en")}×${height.toLocaleString("en")}`;
  const isReduced = after.width < before.width;
  if (isReduced) return `Reduced here from ${size(before)} to ${size(after)} pixels; your file stays as it is.`;
  if (isConverted) return `Turned here into ${size(after)} pixels that can be read; your file stays as it is.`;
  return "Saved again here with fewer bytes; your file stays as it is.";
}

/**
 * Open a file: as it is, if the server reads it and it is within the limits; else reduced or converted.
 * @param {File} file
 * @returns {Promise<{picture: Picture, note: string}>} rejects with an Error whose message is for the person, with
 *   isNoPicture where nothing knows the file for a picture
 */
export async function openPictureFile(file) {
  const head = new Uint8Array(await file.slice(0, HEAD).arrayBuffer());
  const { maxBytes, maxSide } = element("picture").dataset;
  const isSmall = file.size <= Number(maxBytes);
  const isRead = isReadByServer(head);
  if (isSmall && isShownByServer(head)) {
    const shown = await askServer(file);
    return { picture: { bitmap: await decode(shown), file, original: shown, crop: null }, note: "" };
  }
  let bitmap;
  try {
    bitmap = await decode(file);
  } catch {
    throw await whyNot(file, head, isSmall);
  }
  const isAsItIs = isRead && isSmall && Math.max(bitmap.width, bitmap.height) <= Number(maxSide);
  if (isAsItIs) return { picture: { bitmap, file, original: file, crop: null }, note: "" };
  const canvas = shrink(bitmap, fitInto(bitmap, REDUCED_SIDE));
  const sent = await encode(canvas, Number(maxBytes), head[0] === 0xff);
  const note = describeChange(bitmap, sent.canvas, !isRead);
  bitmap.close?.();
  return { picture: { bitmap: sent.canvas, file: sent.file, original: file, crop: null }, note };
}

/** The Error that says why a file is not shown: the server knows it by its first bytes. */
async function whyNot(file, head, isSmall) {
  const refusal = await askServer(isSmall ? file : new Blob([head])).then(
    () => null,
    (error) => error,
  );
  if (!isSmall && (!refusal || CUT_SHORT.test(refusal.message))) {
    const size = (file.size / 2 ** 20).toFixed(1);
    return new Error(
      `This picture has ${size} MB, and this browser cannot make it smaller. Save it as a JPEG, then open that.`,
    );
  }
  return refusal ?? new Error("This browser cannot show the picture. Save it as a PNG or JPEG, then open that.");
}

/** The picture as the server reads it, as a PNG. Rejects with an Error that has the server's sentence. */
async function askServer(file) {
  const body = new FormData();
  body.set("drawing", file, file.name ?? "picture");
  let answer;
  try {
    answer = await fetch("/api/picture.png", { method: "POST", body });
  } catch {
    throw new Error("The server does not answer. Your picture is safe; open it again when the server is back.");
  }
  if (answer.ok) return answer.blob();
  const problem = await answer.json().catch(() => ({}));
  const refusal = new Error(problem.detail ?? `The server refused this (${answer.status}).`);
  throw Object.assign(refusal, { isNoPicture: NO_PICTURE.test(refusal.message) });
}

/**
 * Decode a file, upright. Rejects where this browser cannot.
 * @param {Blob} file
 * @returns {Promise<ImageBitmap|HTMLCanvasElement>}
 */
export async function decode(file) {
  try {
    return await createImageBitmap(file);
  } catch {
    return decodeAsElement(file);
  }
}

/** Decode what only an element of the page can show, such as SVG. Scripts in it do not run, and it loads nothing. */
async function decodeAsElement(file) {
  const head = await file.slice(0, HEAD).text();
  const isVector = /^\s*(<\?xml|<!--|<!DOCTYPE svg|<svg)/i.test(head) && /<svg/i.test(head);
  const url = URL.createObjectURL(isVector ? new Blob([file], { type: "image/svg+xml" }) : file);
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    const { naturalWidth: width, naturalHeight: height } = image;
    if (!isVector) return drawn(image, { width, height });
    if (!width || !height) return drawn(image, { width: VECTOR_SIDE, height: VECTOR_SIDE });
    const scale = VECTOR_SIDE / Math.max(width, height);
    return drawn(image, { width: Math.ceil(width * scale), height: Math.ceil(height * scale) });
  } finally {
    URL.revokeObjectURL(url);
  }
}

/** A picture on a canvas of this size. */
function drawn(source, { width, height }) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(source, 0, 0, width, height);
  return canvas;
}

/** A smaller picture, by halves: where a browser reads four pixels for one, a step beyond a half leaves some out. */
export function shrink(source, size) {
  let last = source;
  for (let { width, height } = source; width > 2 * size.width; ) {
    width = Math.ceil(width / 2);
    height = Math.ceil(height / 2);
    last = drawn(last, { width, height });
  }
  return drawn(last, size);
}

/**
 * Encode a canvas within a number of bytes: without loss if that fits or something shows through, else as a JPEG, and
 * made smaller if that is still too much.
 * @param {HTMLCanvasElement} canvas
 * @param {number} maxBytes
 * @param {boolean} isPhoto a JPEG at once
 * @returns {Promise<{canvas: HTMLCanvasElement, file: File}>}
 */
export async function encode(canvas, maxBytes, isPhoto = false) {
  const isOpaque = isPhoto || !showsThrough(canvas);
  const types = isPhoto ? ["image/jpeg"] : isOpaque ? ["image/png", "image/jpeg"] : ["image/png"];
  for (let last = canvas; ; ) {
    for (const type of types) {
      const blob = await new Promise((resolve) => last.toBlob(resolve, type, JPEG_QUALITY));
      if (!blob) throw new Error("This browser cannot make the picture smaller. Save it as a JPEG, then open that.");
      if (blob.size <= maxBytes) return { canvas: last, file: new File([blob], "picture", { type }) };
    }
    last = shrink(last, { width: Math.round(last.width * SHRINK), height: Math.round(last.height * SHRINK) });
  }
}

/** Whether a canvas is transparent anywhere, as far as a small copy tells. */
function showsThrough(canvas) {
  const { width, height } = fitInto(canvas, SAMPLED_SIDE);
  const { data } = drawn(canvas, { width, height }).getContext("2d").getImageData(0, 0, width, height);
  return data.some((value, at) => at % 4 === 3 && value < 255);
}
