// The pad: keeps the strokes, draws them, undoes and redoes them, and reports every change.

import { cutOut, drawTurned, SIDE } from "./crop.js";

const HALVED_UP_TO = 28; // the largest input, in pixels a side, for which half of the drawing's own pixels are enough
const DOT = 0.01;
const BLACK = "#000000";
const UPRIGHT = { quarters: 0, degrees: 0 };
const CUT_SIDE = 560; // pixels of a part of a picture that is still being chosen
// pointermove waits for the next frame; pointerrawupdate, where the browser has it, does not.
const MOVE = "onpointerrawupdate" in globalThis ? "pointerrawupdate" : "pointermove";

export class Pad {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.context.scale(canvas.width / SIDE, canvas.height / SIDE);
    this.context.lineCap = "round";
    this.context.lineJoin = "round";
    this.sent = document.createElement("canvas");
    this.sent.getContext("2d", { willReadFrequently: true });
    this.suitInput(Infinity);
    this.onChange = () => {}; // the page sets it
    this.strokes = [];
    this.undone = [];
    this.crop = null; // the part of it that is being chosen
    this.tool = "pen";
    this.penWidth = 18;
    this.colour = BLACK;
    this.showsColours = false; // every stroke is black for a model that sees no colours
    this.print = null; // of a sample: its last stroke, and the server's own picture of it
    this.current = null; // the stroke being drawn
    this.pointer = null; // the pointer that draws it; none for the keyboard's pen
    this.listenToPointers();
  }

  get isEmpty() {
    const last = this.strokes.findLastIndex((stroke) => stroke.tool === "clear");
    return !this.opened && !this.strokes.slice(last + 1).some((stroke) => stroke.tool === "pen");
  }

  /** The picture that was opened, dropped or pasted, under the strokes; null if it was cleared since. */
  get opened() {
    return this.strokes.findLast(({ tool }) => tool === "picture" || tool === "clear")?.picture ?? null;
  }

  /** The picture under the strokes: the opened one, or what was last cut out of it. */
  get picture() {
    return (
      this.strokes.findLast(({ tool }) => tool === "picture" || tool === "cut" || tool === "clear")?.picture ?? null
    );
  }

  /** The strokes that an address can hold: what was drawn since the last picture. */
  get drawn() {
    return this.strokes.slice(this.strokes.findLastIndex(({ picture }) => picture) + 1);
  }

  listenToPointers() {
    this.canvas.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || this.current) return;
      event.preventDefault();
      this.canvas.focus({ preventScroll: true });
      this.canvas.setPointerCapture(event.pointerId);
      this.pointer = event.pointerId;
      this.begin(this.place(event));
    });
    this.canvas.addEventListener(MOVE, (event) => {
      if (!this.current || event.pointerId !== this.pointer) return;
      const events = event.getCoalescedEvents?.() ?? [];
      for (const each of events.length ? events : [event]) this.extend(this.place(each));
      this.onChange();
    });
    for (const end of ["pointerup", "pointercancel"]) {
      this.canvas.addEventListener(end, (event) => event.pointerId === this.pointer && this.finish());
    }
  }

  /** The place of an event in the drawing's pixels, to half a pixel as in the address. */
  place(event) {
    const box = this.canvas.getBoundingClientRect();
    return [
      Math.round(((event.clientX - box.left) / box.width) * SIDE * 2) / 2,
      Math.round(((event.clientY - box.top) / box.height) * SIDE * 2) / 2,
    ];
  }

  begin(point) {
    this.current = { tool: this.tool, width: this.penWidth, points: [point] };
    if (this.tool === "pen" && this.showsColours && this.colour !== BLACK) this.current.colour = this.colour;
    this.strokes.push(this.current);
    this.undone = [];
    this.drawSegment(this.current, 0);
    this.onChange();
  }

  extend(point) {
    const { points } = this.current;
    const [x, y] = points.at(-1);
    if (point[0] === x && point[1] === y) return;
    points.push(point);
    this.drawSegment(this.current, points.length - 1);
  }

  finish() {
    this.current = null;
    this.pointer = null;
    this.onChange();
  }

  clear() {
    if (this.isEmpty) return;
    this.strokes.push({ tool: "clear", width: 0, points: [] });
    this.undone = [];
    this.redraw();
  }

  undo() {
    if (!this.strokes.length || this.current || this.crop) return;
    do {
      this.undone.push(this.strokes.pop());
    } while (this.undone.at(-1).joined);
    this.redraw();
  }

  redo() {
    if (!this.undone.length || this.current || this.crop) return;
    do {
      this.strokes.push(this.undone.pop());
    } while (this.undone.at(-1)?.joined);
    this.redraw();
  }

  /**
   * Draw these strokes and nothing else; one undo brings back what was there.
   * @param {?Uint8Array} png the server's own picture of them
   */
  replace(strokes, png = null) {
    const clear = this.isEmpty ? [] : [{ tool: "clear", width: 0, points: [] }];
    this.crop = null;
    this.strokes.push(...[...clear, ...strokes].map((stroke, index) => ({ ...stroke, joined: index > 0 })));
    this.undone = [];
    this.keepPrint(png);
    this.redraw();
  }

  /**
   * Send this picture for the strokes on the pad until there are others: the server's own of a sample. A browser draws a
   * line's edge in its own way, and numbers that are told of a sample would not quite be those that the page shows.
   */
  keepPrint(png) {
    this.print = png && { stroke: this.strokes.at(-1), png };
  }

  /**
   * Put a picture on the pad in place of what was there; one undo brings that back.
   * @param {import("./picture_files.js").Picture} picture
   */
  show(picture) {
    this.crop = null;
    this.strokes.push({ tool: "picture", width: 0, points: [], picture });
    this.undone = [];
    this.redraw();
  }

  /** Put a part of the opened picture in its place; one undo brings back what was there. */
  putCut(picture) {
    this.strokes.push({ tool: "cut", width: 0, points: [], picture });
    this.undone = [];
    this.redraw();
  }

  /** Draw strokes in their own colours, or all of them in black. */
  showColours(shows) {
    if (shows === this.showsColours) return;
    this.showsColours = shows;
    if (this.strokes.some((stroke) => stroke.colour)) this.redraw();
  }

  /** Width and height of the picture that is sent, from 0 to 1: a file keeps its shape, a drawing is the whole pad. */
  get extent() {
    if (!this.file) return { width: 1, height: 1 };
    const { width, height } = this.picture.bitmap;
    return { width: width / Math.max(width, height), height: height / Math.max(width, height) };
  }

  /** Width and height in pixels of the picture that is sent. */
  get sentSize() {
    const { width, height } = this.file ? this.picture.bitmap : this.sent;
    return { width, height };
  }

  /** The drawing as it was last sent. */
  get pixels() {
    return this.sent.getContext("2d").getImageData(0, 0, this.sent.width, this.sent.height);
  }

  redraw() {
    const { opened, picture } = this;
    this.canvas.classList.toggle("has-picture", opened !== null);
    this.context.clearRect(0, 0, SIDE, SIDE);
    if (this.crop) drawTurned(this.context, opened.bitmap, this.crop);
    else if (picture) drawTurned(this.context, picture.bitmap, UPRIGHT);
    const from = this.strokes.findLastIndex(({ tool, picture }) => tool === "clear" || picture) + 1;
    for (const stroke of this.strokes.slice(from)) {
      for (const index of stroke.points.keys()) this.drawSegment(stroke, index);
    }
    this.onChange();
  }

  drawSegment({ tool, width, points, colour }, index) {
    const [x, y] = points[index];
    // A stroke begins as a dot, but a canvas draws no line without length.
    const from = points[index - 1] ?? [x - DOT, y];
    this.context.globalCompositeOperation = tool === "eraser" ? "destination-out" : "source-over";
    this.context.strokeStyle = (this.showsColours && colour) || BLACK;
    this.context.lineWidth = width;
    this.context.beginPath();
    this.context.moveTo(...from);
    this.context.lineTo(x, y);
    this.context.stroke();
    this.context.globalCompositeOperation = "source-over";
  }

  /** The picture's file while nothing is drawn on it; it is sent as it is. */
  get file() {
    return this.crop ? null : (this.strokes.at(-1)?.picture?.file ?? null);
  }

  /** The real digit that is all there is on the pad, as in test-7; null for anything else. */
  get digit() {
    return this.file ? (this.picture.digit ?? null) : null;
  }

  /** Send no more pixels than an input of so many pixels a side can use: each takes time to send and to read. */
  suitInput(side) {
    const wanted = side <= HALVED_UP_TO ? SIDE / 2 : SIDE;
    if (this.sent.width === wanted) return;
    this.sent.width = wanted;
    this.sent.height = wanted;
  }

  /**
   * What is on the pad now, to be kept beside it.
   * @returns {{file: Blob, url: string, strokes: ?import("./strokes.js").Stroke[]}} its picture as it is sent, the same
   *   to be shown, and its strokes, where these are all of it
   */
  snapshot() {
    const png = this.toPng();
    const file = this.file ?? new Blob([png], { type: "image/png" });
    return { file, url: this.sent.toDataURL(), strokes: this.opened ? null : structuredClone(this.drawn) };
  }

  /** The drawing, or the part of a picture that is being chosen, as the bytes of a PNG. */
  toPng() {
    if (this.crop) return encodePng(cutOut(this.opened.bitmap, this.crop, CUT_SIDE));
    const { width, height } = this.sent;
    const context = this.sent.getContext("2d");
    context.clearRect(0, 0, width, height);
    context.drawImage(this.canvas, 0, 0, width, height);
    return this.print && this.print.stroke === this.strokes.at(-1) ? this.print.png : encodePng(this.sent);
  }
}

// toBlob would wait until the browser is idle, which it is not while someone draws.
const encodePng = (canvas) => decodeBase64(canvas.toDataURL("image/png").split(",")[1]);

/** The bytes that a text in base64 stands for. */
export function decodeBase64(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}
