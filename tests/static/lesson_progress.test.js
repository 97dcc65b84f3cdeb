import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import {
  describeProgress,
  forgetProgress,
  progressOf,
  readProgress,
  updateProgress,
} from "../../static/lesson_progress.js";

let kept = {};
globalThis.localStorage = {
  getItem: (key) => kept[key] ?? null,
  setItem: (key, value) => {
    kept[key] = value;
  },
};

beforeEach(() => {
  kept = {};
});

test("keeps what was done of each lesson", () => {
  updateProgress("padding", (progress) => ({ ...progress, at: 2 }));
  updateProgress("padding", (progress) => ({ ...progress, right: [1] }));
  updateProgress("pooling", (progress) => ({ ...progress, at: 1 }));
  assert.deepEqual(progressOf("padding"), { at: 2, right: [1] });
  assert.deepEqual(Object.keys(readProgress()), ["padding", "pooling"]);
  forgetProgress();
  assert.deepEqual(progressOf("padding"), {});
});

test("begins anew where something else is kept under its name", () => {
  for (const text of ["{", "[]", "null", "7", '"padding"']) {
    kept["layerglass-lessons"] = text;
    assert.deepEqual(readProgress(), {});
  }
});

test("says how far a lesson is", () => {
  assert.equal(describeProgress({}, 3), "");
  assert.equal(describeProgress({ at: 2 }, 3), "at step 2, 0 of 3 questions answered");
  assert.equal(describeProgress({ at: 2, right: [1] }, 1), "at step 2, 1 of 1 question answered");
  assert.equal(describeProgress({ at: 4, right: [1, 2], done: true }, 3), "read to the end, 2 of 3 questions answered");
  assert.equal(describeProgress({ at: 4, right: [1, 2, 4], done: true }, 3), "done");
  assert.equal(describeProgress({ at: 4 }, 0), "at step 4");
  // The lesson has become shorter since.
  assert.equal(describeProgress({ at: 4, right: [1, 2, 4], done: true }, 2), "done");
});
