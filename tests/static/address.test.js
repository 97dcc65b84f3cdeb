import assert from "node:assert/strict";
import { test } from "node:test";

import { carryState, formatAddress, parseDigit, parseDrawing, parseKept } from "../../static/address.js";

const STROKES = [
  {
    tool: "pen",
    width: 18,
    points: [
      [1, 2],
      [3, 4],
    ],
  },
];

function form(fields) {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.set(name, value);
  return data;
}

test("the address holds the choices, in one order, and the drawing", () => {
  const address = new URL(formatAddress(form({ scale: "map", model: "digits" }), STROKES), "http://localhost/");
  assert.equal(address.search, "?model=digits&scale=map");
  assert.deepEqual(parseDrawing(address.hash), STROKES);
});

test("the address leaves out what is empty and what is no choice", () => {
  assert.equal(
    formatAddress(form({ model: "digits", pooling: "", columns: "16", listed: "a b" }), null),
    "?model=digits",
  );
});

test("the address holds the microscope's place and the comparison's choices", () => {
  const fields = { layer: "conv_2", channel: "5", row: "0", column: "7", invert: "on", differences: "on" };
  const query = new URLSearchParams(formatAddress(form(fields), null));
  assert.deepEqual(Object.fromEntries(query), fields);
});

test("a model's name may hold any character", () => {
  const name = "a&b=c #d/é";
  const address = new URL(formatAddress(form({ model: name }), STROKES), "http://localhost/");
  assert.equal(address.searchParams.get("model"), name);
  assert.deepEqual(parseDrawing(address.hash), STROKES);
});

test("an empty pad is a drawing, and a picture is none", () => {
  assert.equal(formatAddress(form({}), []), "?#d=");
  assert.deepEqual(parseDrawing("#d="), []);
  assert.equal(formatAddress(form({}), null), "?");
});

test("a fragment without a drawing, or with a malformed one, is none", () => {
  for (const fragment of ["", "#", "#top", "#d=%25", "#d=AA"]) assert.equal(parseDrawing(fragment), null, fragment);
});

test("a link to another page carries the choices and the drawing", () => {
  const here = { search: "?model=digits&pooling=min", hash: "#d=AbC" };
  assert.equal(carryState("/compare", here), "/compare?model=digits&pooling=min#d=AbC");
  assert.equal(carryState("/compare", here, "other one"), "/compare?model=other+one&pooling=min#d=AbC");
});

test("the address holds drawings that other inputs hold", () => {
  const address = new URL(formatAddress(form({ input: "left" }), STROKES, { right: STROKES }), "http://localhost/");
  assert.equal(address.search, "?input=left");
  assert.deepEqual(parseDrawing(address.hash), STROKES);
  assert.deepEqual(parseKept(address.hash), { right: STROKES });
  assert.deepEqual(parseKept("#d=EgAf&held.right=!"), {});
});

test("the address holds a real digit that is alone on the pad", () => {
  const address = formatAddress(form({ model: "digits" }), null, {}, "test-42");
  assert.equal(address, "?model=digits&digit=test-42");
  assert.equal(parseDigit(address), "test-42");
  for (const other of ["", "?digit=", "?digit=test-", "?digit=no-1", "?digit=test-1x", "?digit=test-123456"]) {
    assert.equal(parseDigit(other), null, other);
  }
});

test("edits go along to another page, and not to another model", () => {
  const here = { search: "?model=digits&edits=mute%3Aconv_1.3", hash: "" };
  assert.equal(carryState("/compare", here), "/compare?model=digits&edits=mute%3Aconv_1.3");
  assert.equal(carryState("/compare", here, "digits"), "/compare?model=digits&edits=mute%3Aconv_1.3");
  assert.equal(carryState("/compare", here, "other"), "/compare?model=other");
});
