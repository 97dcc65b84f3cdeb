import assert from "node:assert/strict";
import { test } from "node:test";

import { pauseAfter } from "../../static/exchange.js";

test("each failure doubles the pause, up to eight seconds", () => {
  const pauses = [0, 1, 2, 3, 4, 100].map((failures) => pauseAfter(failures, 0, 0));
  assert.deepEqual(pauses, [1000, 2000, 4000, 8000, 8000, 8000]);
});

test("the pause is never shorter than the server asks for", () => {
  assert.equal(pauseAfter(0, 20_000, 0), 20_000);
  assert.equal(pauseAfter(3, 2000, 0), 8000);
});

test("chance makes the pause longer by up to half", () => {
  assert.equal(pauseAfter(0, 0, 1), 1500);
  assert.equal(pauseAfter(0, 20_000, 0.5), 25_000);
});
