// Where the network's input lies on the pad, so that what a cell sees of the input can be shown in the drawing.

import { SIDE } from "./crop.js";

const INK = 24; // of 255, which an edge pixel of scaled ink has at least

/**
 * @typedef {{left: number, top: number, across: number, down: number}} InputFrame the input's upper left corner on the
 *   pad, and the pad's pixels for one of the input's
 */

/**
 * The frame of a picture that is fitted into the input as a whole, in its middle, or stretched.
 * @param {string} fit of the model's card: fit, fill or stretch
 * @param {{width: number, height: number}} extent of the picture on the pad, from 0 to 1
 * @param {{width: number, height: number}} size of the input
 * @returns {InputFrame}
 */
export function framePicture(fit, extent, { width, height }) {
  const scales = [width / (extent.width * SIDE), height / (extent.height * SIDE)];
  const both = fit === "fill" ? Math.max(...scales) : Math.min(...scales);
  const [x, y] = fit === "stretch" ? scales : [both, both];
  return { left: (SIDE - width / x) / 2, top: (SIDE - height / y) / 2, across: 1 / x, down: 1 / y };
}

/**
 * The frame of a digit that is scaled and centred: its ink's box here and there.
 * @param {Box} drawn the ink's box on the pad
 * @param {Box} seen the ink's box in the input
 * @typedef {{left: number, top: number, right: number, bottom: number}} Box
 * @returns {InputFrame}
 */
export function frameDigit(drawn, seen) {
  const scale =
    Math.max(drawn.right - drawn.left, drawn.bottom - drawn.top) /
    Math.max(seen.right - seen.left, seen.bottom - seen.top);
  return { left: drawn.left - seen.left * scale, top: drawn.top - seen.top * scale, across: scale, down: scale };
}

/** The box of what differs from the corner of a picture, in its pixels; null where nothing does. */
export function findInk({ data, width, height }) {
  let [left, top, right, bottom] = [width, height, 0, 0];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = 4 * (y * width + x);
      const change = Math.max(Math.abs(data[at] - data[0]), Math.abs(data[at + 3] - data[3]));
      if (change < INK) continue;
      [left, right] = [Math.min(left, x), Math.max(right, x + 1)];
      [top, bottom] = [Math.min(top, y), y + 1];
    }
  }
  return left < right ? { left, top, right, bottom } : null;
}

/** The place on the pad of a region of the input: [top, left, bottom, right] of both. */
export function placeOnPad({ left, top, across, down }, region) {
  return [top + region[0] * down, left + region[1] * across, top + region[2] * down, left + region[3] * across];
}
