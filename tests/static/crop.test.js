import assert from "node:assert/strict";
import { test } from "node:test";

import {
  boxBetween,
  cutSize,
  isWhole,
  moveBox,
  resizeBox,
  SIDE,
  turnQuarters,
  wholeBox,
  wholeCrop,
} from "../../static/crop.js";

const LANDSCAPE = { width: 4000, height: 3000 };
const BOX = { left: 40, top: 60, width: 100, height: 80 };

test("the whole of a picture is centred on the pad, and turns with it", () => {
  const wide = { width: 560, height: 280 };
  assert.deepEqual(wholeBox(wide, 0), { left: 0, top: 70, width: 280, height: 140 });
  assert.deepEqual(wholeBox(wide, 1), { left: 70, top: 0, width: 140, height: 280 });
  assert.deepEqual(wholeBox(LANDSCAPE, 2), wholeBox(LANDSCAPE, 0));
});

test("a crop of everything changes nothing", () => {
  const whole = wholeCrop(LANDSCAPE);
  assert.ok(isWhole(whole, LANDSCAPE));
  assert.ok(!isWhole({ ...whole, degrees: 1 }, LANDSCAPE));
  assert.ok(!isWhole({ ...whole, box: BOX }, LANDSCAPE));
  assert.ok(!isWhole(turnQuarters(whole, 1), LANDSCAPE));
});

test("a box is moved as far as the pad goes", () => {
  assert.deepEqual(moveBox(BOX, 10, -20), { ...BOX, left: 50, top: 40 });
  assert.deepEqual(moveBox(BOX, 999, -999), { ...BOX, left: SIDE - 100, top: 0 });
});

test("an edge moves alone, and a corner moves two", () => {
  assert.deepEqual(resizeBox(BOX, "e", 30, 30), { ...BOX, width: 130 });
  assert.deepEqual(resizeBox(BOX, "nw", 10, -10), { left: 50, top: 50, width: 90, height: 90 });
});

test("a box stays on the pad, and large enough to be grasped", () => {
  assert.deepEqual(resizeBox(BOX, "se", 999, 999), { left: 40, top: 60, width: 240, height: 220 });
  assert.deepEqual(resizeBox(BOX, "nw", 999, 999), { left: 120, top: 120, width: 20, height: 20 });
});

test("a new box lies between two points, in whatever order", () => {
  const between = { left: 50, top: 70, width: 60, height: 90 };
  assert.deepEqual(boxBetween([50, 70], [110, 160]), between);
  assert.deepEqual(boxBetween([110, 160], [50, 70]), between);
  assert.deepEqual(boxBetween([300, -5], [300, -5]), { left: 260, top: 0, width: 20, height: 20 });
});

test("a box turns with the picture, and is back after four quarters", () => {
  const crop = { quarters: 0, degrees: 7, box: BOX };
  const once = turnQuarters(crop, 1);
  assert.deepEqual(once, { quarters: 1, degrees: 7, box: { left: 140, top: 40, width: 80, height: 100 } });
  assert.deepEqual(turnQuarters(once, -1), crop);
  assert.deepEqual([1, 1, 1].reduce(turnQuarters, once), crop);
});

test("what is cut out has as many pixels as the picture has there, up to a limit", () => {
  const crop = { quarters: 0, degrees: 0, box: BOX };
  assert.deepEqual(cutSize(crop, { width: 2800, height: 1000 }, 2048), { width: 1000, height: 800 });
  assert.deepEqual(cutSize(crop, { width: 28_000, height: 10_000 }, 2048), { width: 2048, height: 1638 });
  assert.deepEqual(cutSize(crop, { width: 3, height: 3 }, 2048), { width: 1, height: 1 });
});
