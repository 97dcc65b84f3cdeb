// A part of a picture, turned: where the picture lies on the pad, and the part of it that is read.

export const SIDE = 280; // the pad's own pixels; the canvas shows them larger
const LEAST = 20; // of a side of the box

/**
 * @typedef {{left: number, top: number, width: number, height: number}} Box in the pad's pixels
 * @typedef {{quarters: number, degrees: number, box: Box}} Crop the picture is turned about the pad's middle, clockwise
 */

/** The whole of a picture on the pad: where it lies when it is turned by so many quarters. */
export function wholeBox({ width, height }, quarters) {
  const scale = SIDE / Math.max(width, height);
  const [across, down] = quarters % 2 ? [height * scale, width * scale] : [width * scale, height * scale];
  return { left: (SIDE - across) / 2, top: (SIDE - down) / 2, width: across, height: down };
}

/** The crop that is all of a picture. */
export const wholeCrop = (size) => ({ quarters: 0, degrees: 0, box: wholeBox(size, 0) });

/** Whether a crop is all of a picture, as it is. */
export function isWhole({ quarters, degrees, box }, size) {
  const whole = wholeBox(size, 0);
  return quarters === 0 && degrees === 0 && Object.keys(whole).every((side) => Math.abs(whole[side] - box[side]) < 0.5);
}

/** Move a box, and keep it on the pad. */
export function moveBox(box, x, y) {
  return { ...box, left: within(box.left + x, 0, SIDE - box.width), top: within(box.top + y, 0, SIDE - box.height) };
}

/**
 * Move some edges of a box, and keep it on the pad and large enough.
 * @param {string} edges of n, e, s, w
 */
export function resizeBox(box, edges, x, y) {
  let { left, top } = box;
  let [right, bottom] = [left + box.width, top + box.height];
  if (edges.includes("w")) left = within(left + x, 0, right - LEAST);
  if (edges.includes("e")) right = within(right + x, left + LEAST, SIDE);
  if (edges.includes("n")) top = within(top + y, 0, bottom - LEAST);
  if (edges.includes("s")) bottom = within(bottom + y, top + LEAST, SIDE);
  return { left, top, width: right - left, height: bottom - top };
}

/** The box between two points, however they lie. */
export function boxBetween([x, y], [toX, toY]) {
  const [left, width] = span(x, toX);
  const [top, height] = span(y, toY);
  return { left, top, width, height };
}

function span(from, to) {
  const [first, last] = [Math.min(from, to), Math.max(from, to)].map((value) => within(value, 0, SIDE));
  const start = Math.min(first, SIDE - LEAST);
  return [start, Math.max(last, start + LEAST) - start];
}

/** Turn a crop by quarters: its box turns with the picture, about the pad's middle. */
export function turnQuarters(crop, quarters) {
  let { box } = crop;
  for (let left = (quarters + 4) % 4; left > 0; left--) {
    box = { left: SIDE - box.top - box.height, top: box.left, width: box.height, height: box.width };
  }
  return { ...crop, quarters: (crop.quarters + quarters + 4) % 4, box };
}

/**
 * The size in pixels of what is cut out: as many as the picture has there, up to a longer side.
 * @param {{width: number, height: number}} size of the picture
 */
export function cutSize({ box }, size, longest) {
  const ofPicture = Math.max(size.width, size.height) / SIDE;
  const scale = Math.min(ofPicture, longest / Math.max(box.width, box.height));
  return { width: Math.max(1, Math.round(box.width * scale)), height: Math.max(1, Math.round(box.height * scale)) };
}

/** Draw a turned picture on a context whose pixels are the pad's. */
export function drawTurned(context, picture, { quarters, degrees }) {
  const scale = SIDE / Math.max(picture.width, picture.height);
  const [width, height] = [picture.width * scale, picture.height * scale];
  context.save();
  context.imageSmoothingQuality = "high";
  context.translate(SIDE / 2, SIDE / 2);
  context.rotate(((quarters * 90 + degrees) * Math.PI) / 180);
  context.drawImage(picture, -width / 2, -height / 2, width, height);
  context.restore();
}

/** Cut a part out of a picture: a canvas with up to so many pixels along its longer side. */
export function cutOut(picture, crop, longest) {
  const { width, height } = cutSize(crop, picture, longest);
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  context.scale(width / crop.box.width, height / crop.box.height);
  context.translate(-crop.box.left, -crop.box.top);
  drawTurned(context, picture, crop);
  return canvas;
}

const within = (value, low, high) => Math.max(low, Math.min(high, value));
