import assert from "node:assert/strict";
import { test } from "node:test";

import { placeBox } from "../../static/several_digits.js";

test("a square picture fills the pad", () => {
  const place = placeBox([70, 140, 210, 280], { width: 280, height: 280 });
  assert.deepEqual(place, { left: 0.25, top: 0.5, width: 0.5, height: 0.5 });
});

test("a wide picture lies in the middle of the pad", () => {
  const place = placeBox([100, 0, 300, 200], { width: 400, height: 200 });
  assert.deepEqual(place, { left: 0.25, top: 0.25, width: 0.5, height: 0.5 });
});

test("a tall picture lies in the middle of the pad", () => {
  const place = placeBox([0, 0, 200, 400], { width: 200, height: 400 });
  assert.deepEqual(place, { left: 0.25, top: 0, width: 0.5, height: 1 });
});
