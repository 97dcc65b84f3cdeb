import assert from "node:assert/strict";
import { test } from "node:test";

import { formatCurl, formatPython, planRequest, quoteForShell } from "../../static/save_request.js";

const ORIGIN = "http://127.0.0.1:8000";
const VIEW = {
  network: "digits-min",
  pooling: "min",
  fields: [["pooling", "min"]],
  look: [
    ["signed", "rdbu"],
    ["columns", "8"],
  ],
  files: [["drawing", "drawing.png"]],
  selection: { layer: "conv_1", channel: 3, row: 5, column: 7, isMap: true },
};
const VECTOR = { ...VIEW, selection: { layer: "digit", channel: 0, row: 0, column: 7, isMap: false } };

for (const [what, view, path, name] of [
  [{ kind: "network" }, VIEW, "network.png", "digits-min-min-network.png"],
  [{ kind: "grid", layer: "pool_1" }, VIEW, "layers/pool_1/feature-maps.png", "digits-min-min-pool_1.png"],
  [
    { kind: "grid", layer: "big", first: 64, count: 32 },
    VIEW,
    "layers/big/feature-maps.png",
    "digits-min-min-big-maps64-95.png",
  ],
  [{ kind: "map" }, VIEW, "layers/conv_1/feature-maps/3.png", "digits-min-min-conv_1-map3.png"],
  [{ kind: "csv" }, VIEW, "layers/conv_1/feature-maps/3.csv", "digits-min-min-conv_1-map3.csv"],
  [{ kind: "csv" }, VECTOR, "layers/digit/feature-maps/0.csv", "digits-min-min-digit-values.csv"],
  [{ kind: "npz" }, VIEW, "activations.npz", "digits-min-min.npz"],
  [{ kind: "npz" }, { ...VIEW, pooling: null }, "activations.npz", "digits-min-activations.npz"],
  [{ kind: "panel" }, VIEW, "layers/conv_1/feature-maps/3/cells/5,7", "digits-min-min-conv_1-map3-row5-column7.png"],
  [{ kind: "panel" }, VECTOR, "layers/digit/feature-maps/0/cells/0,7", "digits-min-min-digit-unit7.png"],
]) {
  test(`${JSON.stringify(what)} of ${view.selection.layer} is ${name}`, () => {
    const plan = planRequest(what, view, 8);
    assert.equal(plan.path, `/api/models/digits-min/${path}`);
    assert.equal(plan.name, name);
    assert.equal(plan.output, what.kind === "panel" ? name.replace("png", "json") : name);
  });
}

test("only pictures have colours and a scale, and one map has no columns", () => {
  const names = (what, zoom = 8) => planRequest(what, VIEW, zoom).fields.map(([name]) => name);
  assert.deepEqual(names({ kind: "network" }), ["pooling", "signed", "columns", "zoom"]);
  assert.deepEqual(names({ kind: "grid", layer: "a" }, 1), ["pooling", "signed", "columns"]);
  assert.deepEqual(names({ kind: "map" }), ["pooling", "signed", "zoom"]);
  for (const kind of ["csv", "npz", "panel"]) assert.deepEqual(names({ kind }), ["pooling"]);
});

test("a page of a layer's maps names its first and their number", () => {
  const { fields } = planRequest({ kind: "grid", layer: "big", first: 64, count: 32 }, VIEW, 1);
  assert.deepEqual(fields.slice(-2), [
    ["first", "64"],
    ["count", "32"],
  ]);
});

test("any name is quoted in the path, and plain in the file's name", () => {
  const view = { ...VIEW, network: "a ü/b", pooling: null };
  const { path, name } = planRequest({ kind: "grid", layer: "../conv>1" }, view, 1);
  assert.equal(path, "/api/models/a%20%C3%BC%2Fb/layers/..%2Fconv%3E1/feature-maps.png");
  assert.equal(name, "a-ü-b-..-conv-1.png");
});

test("a shell reads a quoted word as it is", () => {
  assert.equal(quoteForShell("drawing=@drawing.png"), "drawing=@drawing.png");
  assert.equal(quoteForShell(`held={"z": [1]}`), `'held={"z": [1]}'`);
  assert.equal(quoteForShell("it's; rm"), "'it'\\''s; rm'");
});

test("the line for curl", () => {
  assert.equal(
    formatCurl(ORIGIN, planRequest({ kind: "map" }, VIEW, 4)),
    "curl -f -F drawing=@drawing.png -F pooling=min -F signed=rdbu -F zoom=4 -o digits-min-min-conv_1-map3.png " +
      "http://127.0.0.1:8000/api/models/digits-min/layers/conv_1/feature-maps/3.png",
  );
});

test("curl takes a field for text that it would take for something else", () => {
  const view = { ...VIEW, fields: [["held", '{"a;b": 1}']], files: [] };
  assert.match(formatCurl(ORIGIN, planRequest({ kind: "npz" }, view, 1)), / --form-string 'held=\{"a;b": 1\}' /);
});

test("a request without any field is a POST all the same", () => {
  const plan = planRequest({ kind: "npz" }, { ...VIEW, fields: [], files: [] }, 1);
  assert.match(formatCurl(ORIGIN, plan), /^curl -f -X POST -o /);
  assert.match(formatPython(ORIGIN, plan), /requests\.post\(\n {4}"[^"]+",\n\)/);
});

test("the lines for Python", () => {
  const lines = formatPython(ORIGIN, planRequest({ kind: "csv" }, VIEW, 1)).split("\n");
  assert.deepEqual(lines, [
    "import requests",
    "",
    "answer = requests.post(",
    '    "http://127.0.0.1:8000/api/models/digits-min/layers/conv_1/feature-maps/3.csv",',
    '    data={"pooling": "min"},',
    '    files={"drawing": open("drawing.png", "rb")},',
    ")",
    "answer.raise_for_status()",
    'open("digits-min-min-conv_1-map3.csv", "wb").write(answer.content)',
    "",
  ]);
});
