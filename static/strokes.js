// Strokes as text for the address bar. Each stroke is a byte for its tool and width, three bytes for its colour if it
// has one, the number of its steps, its first point, and two bytes for each step.

/**
 * @typedef {[number, number]} Point in the pad's 280 pixels
 * @typedef {{tool: "pen"|"eraser"|"clear", width: number, points: Point[], colour?: string}} Stroke
 */

const TOOLS = ["pen", "eraser", "clear"];
const COLOURED_PEN = 3; // in place of a tool's number; a pen without a colour is black
const UNITS = 2; // to a pixel: points are kept to half a pixel
const ORIGIN = 4096; // added to coordinates, which may be negative
const LONGEST_STEP = 127;

/** Strokes as base64url text. */
export function encodeStrokes(strokes) {
  const bytes = strokes.flatMap(encodeStroke);
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** The strokes of a text made by encodeStrokes, or null if the text is malformed. */
export function decodeStrokes(text) {
  try {
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = new Bytes(Uint8Array.from(binary, (character) => character.charCodeAt(0)));
    const strokes = [];
    while (!bytes.atEnd) strokes.push(decodeStroke(bytes));
    return strokes;
  } catch {
    return null;
  }
}

function encodeStroke({ tool, width, points, colour }) {
  const head = colour ? COLOURED_PEN : TOOLS.indexOf(tool);
  const units = points.map((point) => point.map((value) => Math.round(value * UNITS)));
  const steps = toSteps(units);
  return [
    head * 64 + Math.min(63, Math.round(width)),
    ...(colour ? [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16)) : []),
    ...toWord(steps.length),
    ...units.slice(0, 1).flatMap((first) => first.flatMap((value) => toWord(value + ORIGIN))),
    ...steps.flatMap((step) => step.map((value) => value + 128)),
  ];
}

function decodeStroke(bytes) {
  const head = bytes.next();
  const isColoured = head >> 6 === COLOURED_PEN;
  const colour = isColoured && `#${[bytes.next(), bytes.next(), bytes.next()].map(toHex).join("")}`;
  const tool = isColoured ? "pen" : TOOLS[head >> 6];
  const steps = bytes.nextWord();
  const points = [];
  if (tool !== "clear") {
    let [x, y] = [bytes.nextWord() - ORIGIN, bytes.nextWord() - ORIGIN];
    points.push([x / UNITS, y / UNITS]);
    for (let step = 0; step < steps; step++) {
      x += bytes.next() - 128;
      y += bytes.next() - 128;
      points.push([x / UNITS, y / UNITS]);
    }
  }
  return { tool, width: head & 63, points, ...(colour && { colour }) };
}

/** The way from each point to the next, in steps that fit into a byte. */
function toSteps([start, ...rest]) {
  const steps = [];
  let [x, y] = start ?? [0, 0];
  for (const [goalX, goalY] of rest) {
    while (x !== goalX || y !== goalY) {
      const step = [goalX - x, goalY - y].map((value) => Math.max(-LONGEST_STEP, Math.min(LONGEST_STEP, value)));
      steps.push(step);
      x += step[0];
      y += step[1];
    }
  }
  return steps;
}

const toWord = (value) => [(value >> 8) & 255, value & 255];
const toHex = (byte) => byte.toString(16).padStart(2, "0");

class Bytes {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  get atEnd() {
    return this.at === this.bytes.length;
  }

  next() {
    if (this.atEnd) throw new RangeError("The text was cut short.");
    return this.bytes[this.at++];
  }

  nextWord() {
    return this.next() * 256 + this.next();
  }
}
