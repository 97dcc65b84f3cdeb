import assert from "node:assert/strict";
import { test } from "node:test";

import { frameOf } from "../../static/model_input.js";

const WHOLE = { width: 1, height: 1 };

test("without cutting off, the network gets all that is sent", () => {
  assert.deepEqual(frameOf(WHOLE, null), WHOLE);
  assert.deepEqual(frameOf({ width: 1, height: 0.5 }, null), { width: 1, height: 0.5 });
});

test("an input that is filled gets the middle of the pad", () => {
  assert.deepEqual(frameOf(WHOLE, { width: 50, height: 20 }), { width: 1, height: 0.4 });
  assert.deepEqual(frameOf(WHOLE, { width: 28, height: 28 }), WHOLE);
});

test("an input that is filled gets the middle of a picture, in its shape", () => {
  assert.deepEqual(frameOf({ width: 1, height: 0.5 }, { width: 28, height: 28 }), { width: 0.5, height: 0.5 });
});
