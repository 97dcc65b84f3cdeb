// The address bar is the state: the choices of the form in the query, the drawing's strokes in the fragment, which
// never leaves the browser.

const HALF = 2; // strokes are kept to half a pixel of the 280-pixel pad

const CHOICES = [
  ...["model", "pooling", "weights", "colormap", "scale"],
  ...["invert", "differences"], // the comparison's
  ...["layer", "channel", "row", "column"], // the microscope's
];

/** @typedef {{tool: "pen"|"eraser"|"clear", width: number, points: [number, number][], colour?: string}} Stroke */

const COLOURED = 3; // in place of the tool's number: a pen, whose colour follows in three bytes; without, it is black

/** Strokes as text for the address: a byte for tool and width, a count, the first point, then steps of one byte. */
export function encodeStrokes(strokes) {
  const bytes = [];
  const push16 = (value) => bytes.push((value >> 8) & 255, value & 255);
  for (const { tool, width, points, colour } of strokes) {
    const steps = toSteps(points);
    const number = colour ? COLOURED : ["pen", "eraser", "clear"].indexOf(tool);
    bytes.push(number * 64 + Math.min(63, Math.round(width)));
    if (colour) bytes.push(...[1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16)));
    push16(steps.length);
    if (points.length === 0) continue;
    push16(Math.round(points[0][0] * HALF) + 4096);
    push16(Math.round(points[0][1] * HALF) + 4096);
    for (const [x, y] of steps) bytes.push(x + 128, y + 128);
  }
  const text = String.fromCharCode(...bytes);
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** The strokes in a text made by encodeStrokes; null where it is none. */
export function decodeStrokes(text) {
  try {
    const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
    const strokes = [];
    let at = 0;
    const next = () => {
      if (at >= bytes.length) throw new RangeError("cut short");
      return bytes[at++];
    };
    const next16 = () => next() * 256 + next();
    while (at < bytes.length) {
      const head = next();
      const tool = ["pen", "eraser", "clear", "pen"][head >> 6];
      const bytesOfColour = head >> 6 === COLOURED ? [next(), next(), next()] : [];
      const colour = bytesOfColour.map((byte) => byte.toString(16).padStart(2, "0")).join("");
      const count = next16();
      const points = [];
      if (tool !== "clear") {
        let x = next16() - 4096;
        let y = next16() - 4096;
        points.push([x / HALF, y / HALF]);
        for (let i = 0; i < count; i++) {
          x += next() - 128;
          y += next() - 128;
          points.push([x / HALF, y / HALF]);
        }
      }
      strokes.push({ tool, width: head & 63, points, ...(colour && { colour: `#${colour}` }) });
    }
    return strokes;
  } catch {
    return null;
  }
}

function toSteps(points) {
  const steps = [];
  let [x, y] = points.length ? points[0].map((value) => Math.round(value * HALF)) : [0, 0];
  for (const point of points.slice(1)) {
    const [goalX, goalY] = point.map((value) => Math.round(value * HALF));
    while (x !== goalX || y !== goalY) {
      const step = [goalX - x, goalY - y].map((value) => Math.max(-127, Math.min(127, value)));
      steps.push(step);
      x += step[0];
      y += step[1];
    }
  }
  return steps;
}

/** The drawing that the address holds, or null. */
export function readDrawing() {
  const text = new URLSearchParams(location.hash.slice(1)).get("d");
  return text === null ? null : decodeStrokes(text);
}

/** Put the form's choices and the drawing into the address, without a new entry in the history. */
export function writeAddress(form, strokes) {
  const query = new URLSearchParams();
  for (const name of CHOICES) {
    const value = new FormData(form).get(name);
    if (value) query.set(name, value);
  }
  history.replaceState(null, "", `?${query}${strokes ? `#d=${encodeStrokes(strokes)}` : ""}`);
  keepDrawing();
}

/** Let the links between the pages with a pad lead to the same drawing, and to the same choices but for their own. */
export function keepDrawing() {
  for (const link of document.querySelectorAll("a[data-keeps-drawing]")) {
    const query = new URLSearchParams(location.search);
    const model = link.dataset.model;
    if (model) query.set("model", model);
    link.href = `${link.pathname}?${query}${location.hash}`;
  }
}
