import assert from "node:assert/strict";
import { test } from "node:test";

import { isModelFile, readDrop } from "../../static/files.js";
import { readDeclaration } from "../../static/lambdas.js";
import { readNumbers } from "../../static/numbers.js";
import { readField } from "../../static/own_models.js";

test("a model's file is known by its name", () => {
  for (const name of ["a.keras", "A.H5", "b.c.hdf5", "converted_keras.zip"]) assert.ok(isModelFile({ name }), name);
  for (const name of ["a.png", "keras", "a.zip.png"]) assert.ok(!isModelFile({ name }), name);
});

/** A folder as a drop hands it over. */
const dropped = (...names) => ({
  files: [{ name: "folder" }],
  items: [
    {
      webkitGetAsEntry: () => ({
        isDirectory: true,
        createReader: () => ({
          readEntries: (resolve) => resolve(names.map((name) => ({ name, file: (take) => take({ name }) }))),
        }),
      }),
    },
  ],
});

test("a dropped folder stands for the model in it, and a SavedModel for what tells one", async () => {
  assert.equal((await readDrop({ files: [{ name: "a.h5" }], items: [] })).name, "a.h5");
  assert.equal((await readDrop(dropped("variables", "saved_model.pb", "a.h5"))).name, "saved_model.pb");
  assert.equal((await readDrop(dropped("labels.txt", "a.h5"))).name, "a.h5");
  await assert.rejects(readDrop(dropped("cat.png", "dog.png")), /Drop one file of it/);
});

test("a declaration is what the API takes", () => {
  const row = { scale: "0.5", offset: "-1", height: "8", width: "9" };
  assert.deepEqual(readDeclaration({ ...row, does: "scale" }), { scale: 0.5, offset: -1 });
  assert.deepEqual(readDeclaration({ ...row, does: "scale", offset: "1, 2" }), { scale: 0.5, offset: [1, 2] });
  assert.deepEqual(readDeclaration({ ...row, does: "scale", scale: "x / 2" }), { scale: "x / 2", offset: -1 });
  assert.deepEqual(readDeclaration({ ...row, does: "scale", scale: "" }), { scale: "", offset: -1 });
  assert.deepEqual(readDeclaration({ ...row, does: "reverse" }), { channels: "reversed" });
  assert.deepEqual(readDeclaration({ ...row, does: "caffe" }), {
    channels: "reversed",
    offset: [-103.939, -116.779, -123.68],
  });
  assert.deepEqual(readDeclaration({ ...row, does: "identity" }), { layer: "Identity" });
  assert.deepEqual(readDeclaration({ ...row, does: "normalize" }), { layer: "UnitNormalization" });
  assert.deepEqual(readDeclaration({ ...row, does: "resize" }), {
    layer: "Resizing",
    settings: { height: 8, width: 9 },
  });
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
