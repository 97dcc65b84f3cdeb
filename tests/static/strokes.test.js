import assert from "node:assert/strict";
import { test } from "node:test";

import { decodeStrokes, encodeStrokes } from "../../static/strokes.js";

const PEN = {
  tool: "pen",
  width: 18,
  points: [
    [10, 20],
    [10.5, 22],
    [-3, 79.5],
  ],
};
const CLEAR = { tool: "clear", width: 0, points: [] };

test("no strokes are no text", () => {
  assert.equal(encodeStrokes([]), "");
  assert.deepEqual(decodeStrokes(""), []);
});

test("a stroke is text that addresses of today and of earlier versions hold", () => {
  const stroke = {
    tool: "pen",
    width: 18,
    points: [
      [140, 50],
      [140, 54],
    ],
  };
  // 18: pen of width 18; 1 step; 140 and 50 in half pixels, plus 4096; a step of 0 and 8 half pixels, plus 128
  const bytes = [18, 0, 1, 0x11, 0x18, 0x10, 0x64, 128, 136];
  assert.equal(encodeStrokes([stroke]), Buffer.from(bytes).toString("base64url"));
});

for (const [name, stroke] of Object.entries({
  "a pen": PEN,
  "an eraser": { ...PEN, tool: "eraser", width: 36 },
  "a coloured pen": { ...PEN, colour: "#e0240a" },
  "a dot": { ...PEN, points: [[0, 280]] },
  "a clearing": CLEAR,
})) {
  test(`${name} survives the address`, () => {
    assert.deepEqual(decodeStrokes(encodeStrokes([stroke])), [stroke]);
  });
}

test("many strokes keep their order", () => {
  const strokes = [PEN, { ...PEN, tool: "eraser" }, CLEAR, { ...PEN, colour: "#ffffff" }, PEN];
  assert.deepEqual(decodeStrokes(encodeStrokes(strokes)), strokes);
});

test("a long step is divided, and the line ends where it did", () => {
  const points = [
    [0, 0],
    [280, 140],
  ];
  const [decoded] = decodeStrokes(encodeStrokes([{ ...PEN, points }]));
  assert.deepEqual(decoded.points.at(-1), [280, 140]);
  assert.ok(decoded.points.length > 2);
});

test("points are kept to half a pixel, and rounding does not add up", () => {
  const points = Array.from({ length: 500 }, (_, index) => [index * 0.3, 100.2]);
  const [decoded] = decodeStrokes(encodeStrokes([{ ...PEN, points }]));
  const [x, y] = decoded.points.at(-1);
  assert.ok(Math.abs(x - 499 * 0.3) <= 0.25 && Math.abs(y - 100.2) <= 0.25, `${x}, ${y}`);
});

test("the text needs no escaping in an address", () => {
  // Steps of many lengths, so that plain base64 would need both + and /.
  const points = Array.from({ length: 128 }, (_, index) => [(index * (index + 1)) / 4, index]);
  const text = encodeStrokes([{ ...PEN, points }]);
  assert.match(Buffer.from(text, "base64url").toString("base64"), /\+.*\/|\/.*\+/);
  assert.match(text, /^[A-Za-z0-9_-]+$/);
  assert.deepEqual(decodeStrokes(text), [{ ...PEN, points }]);
});

test("a drawing may be very long", () => {
  const points = Array.from({ length: 60_000 }, (_, index) => [index % 280, (7 * index) % 280]);
  const strokes = Array.from({ length: 5 }, () => ({ ...PEN, points: points.slice(0, 20_000) }));
  assert.equal(decodeStrokes(encodeStrokes(strokes)).length, 5);
});

for (const [name, text] of Object.entries({
  "is cut short": encodeStrokes([PEN]).slice(0, -4),
  "is not base64": "%%%",
  "lacks the colour": Buffer.from([3 << 6]).toString("base64url"),
})) {
  test(`a text that ${name} is no drawing`, () => {
    assert.equal(decodeStrokes(text), null);
  });
}
