import assert from "node:assert/strict";
import { test } from "node:test";

import { isModelFile, readField, readNumbers } from "../../static/own_models.js";

test("a model's file is known by its name", () => {
  for (const name of ["a.keras", "A.H5", "b.c.hdf5", "converted_keras.zip"]) assert.ok(isModelFile({ name }), name);
  for (const name of ["a.png", "keras", "a.zip.png"]) assert.ok(!isModelFile({ name }), name);
});

test("numbers are read however they are divided", () => {
  assert.deepEqual(readNumbers("0.5, 0.25;0.125\n1e-3"), [0.5, 0.25, 0.125, 0.001]);
  assert.equal(readNumbers("  "), null);
});

test("what is not a number reaches the server as null", () => {
  assert.equal(JSON.stringify(readNumbers("0.5 half")), "[0.5,null]");
});

test("a control says one field of a card", () => {
  const controls = Object.fromEntries(
    Object.entries({
      low: "-1",
      high: "1",
      mean: "",
      std: "0.5",
      transposed: "true",
      fit: "fill",
      classes: "a\n\n b",
    }).map(([name, value]) => [name, { value }]),
  );
  const fields = (name) => readField(controls, name);
  assert.deepEqual(fields("low"), { value_range: [-1, 1] });
  assert.deepEqual(fields("high"), { value_range: [-1, 1] });
  assert.deepEqual(fields("mean"), { mean: null });
  assert.deepEqual(fields("std"), { std: [0.5] });
  assert.deepEqual(fields("transposed"), { transposed: true });
  assert.deepEqual(fields("fit"), { fit: "fill" });
  assert.deepEqual(fields("classes"), { classes: ["a", "b"] });
});
