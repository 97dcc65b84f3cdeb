import assert from "node:assert/strict";
import { test } from "node:test";
import { findInk, frameDigit, framePicture, placeOnPad } from "../../static/input_frame.js";

const SQUARE = { width: 1, height: 1 };

test("a square drawing fits a square input", () => {
  const frame = framePicture("fit", SQUARE, { width: 28, height: 28 });
  assert.deepEqual(placeOnPad(frame, [0, 0, 28, 28]), [0, 0, 280, 280]);
  assert.deepEqual(placeOnPad(frame, [1, 2, 3, 4]), [10, 20, 30, 40]);
});

test("a broad input has margins beside a square drawing", () => {
  const frame = framePicture("fit", SQUARE, { width: 56, height: 28 });
  assert.deepEqual(placeOnPad(frame, [0, 14, 28, 42]), [0, 0, 280, 280]);
});

test("the middle of a broad picture fills a square input", () => {
  const frame = framePicture("fill", { width: 1, height: 0.5 }, { width: 28, height: 28 });
  assert.deepEqual(placeOnPad(frame, [0, 0, 28, 28]), [70, 70, 210, 210]);
});

test("a stretched picture has a scale for each direction", () => {
  const frame = framePicture("stretch", { width: 1, height: 0.5 }, { width: 28, height: 28 });
  assert.deepEqual(placeOnPad(frame, [0, 0, 28, 28]), [70, 0, 210, 280]);
});

test("a digit's ink lies on its ink", () => {
  const drawn = { left: 40, top: 60, right: 140, bottom: 260 };
  const seen = { left: 9, top: 4, right: 19, bottom: 24 };
  const frame = frameDigit(drawn, seen);
  assert.deepEqual(placeOnPad(frame, [4, 9, 24, 19]), [60, 40, 260, 140]);
});

test("ink is what differs from the corner", () => {
  const [width, height] = [5, 4];
  const data = new Uint8ClampedArray(4 * width * height).fill(255);
  for (const [x, y] of [
    [1, 2],
    [3, 1],
  ])
    data.set([0, 0, 0, 255], 4 * (y * width + x));
  assert.deepEqual(findInk({ data, width, height }), { left: 1, top: 1, right: 4, bottom: 3 });
  assert.equal(findInk({ data: new Uint8ClampedArray(4 * width * height), width, height }), null);
});
