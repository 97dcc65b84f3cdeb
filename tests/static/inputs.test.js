import assert from "node:assert/strict";
import { test } from "node:test";

import { formatHeld, shorten, spread } from "../../static/inputs.js";
import { makeNormal } from "../../static/random.js";

test("one number stands for all of an input", () => {
  assert.deepEqual(spread(0.5, 3), [0.5, 0.5, 0.5]);
  const numbers = [1, 2];
  assert.deepEqual(spread(numbers, 2), numbers);
  assert.notEqual(spread(numbers, 2), numbers);
});

test("what is held by default is not sent", () => {
  assert.equal(formatHeld({ z: 0, label: [0, 1] }, { z: 0, label: [0, 1] }), "");
  assert.equal(formatHeld({ z: [1, -0.5], label: 0 }, { z: 0, label: 0 }), '{"z":[1,-0.5]}');
  assert.equal(formatHeld({ z: 0 }, { z: 1 }), '{"z":0}');
});

test("a number is said to a hundredth", () => {
  assert.equal(shorten(1.23456), 1.23);
  assert.equal(shorten(-0.1), -0.1);
});

test("a seed gives the same normal numbers again", () => {
  const [first, again, other] = [7, 7, 8].map((seed) => {
    const next = makeNormal(seed);
    return Array.from({ length: 10_000 }, () => next());
  });
  assert.deepEqual(first, again);
  assert.notDeepEqual(first, other);
  const mean = first.reduce((sum, value) => sum + value, 0) / first.length;
  const variance = first.reduce((sum, value) => sum + (value - mean) ** 2, 0) / first.length;
  assert.ok(Math.abs(mean) < 0.05, `mean ${mean}`);
  assert.ok(Math.abs(variance - 1) < 0.05, `variance ${variance}`);
});
