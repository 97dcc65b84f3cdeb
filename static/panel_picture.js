// A part of the page as a PNG: its text, lines and pictures, painted on a canvas where they stand on the screen.

const MARGIN = 14; // around it
const LEFT_OUT =
  ".microscope-controls, .edits-controls, [data-close], .microscope-state, input, .visually-hidden, defs";
const HATCH = 4; // pixels from one line of a hatched part to the next
const HATCH_COLOUR = "#88888899";
const graphemes = new Intl.Segmenter();

/**
 * @param {HTMLElement} part
 * @param {number} scale times its size on the screen
 * @returns {Promise<Blob>}
 */
export async function drawElement(part, scale) {
  const images = await loadImages(part);
  const { left, top } = part.getBoundingClientRect();
  const { right, bottom } = measure(part);
  const canvas = document.createElement("canvas");
  canvas.width = Math.ceil((right - left + 2 * MARGIN) * scale);
  canvas.height = Math.ceil((bottom - top + 2 * MARGIN) * scale);
  const context = canvas.getContext("2d");
  context.fillStyle = groundOf(part);
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.scale(scale, scale);
  context.translate(MARGIN - left, MARGIN - top);
  context.imageSmoothingEnabled = false;
  paint(context, part, images);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  if (!blob) throw new Error("This browser cannot make a picture as large as this. Choose a smaller scale.");
  return blob;
}

async function loadImages(part) {
  const elements = [...part.querySelectorAll("image")];
  const loaded = elements.map(async (element) => {
    const image = new Image();
    image.src = element.getAttribute("href");
    await image.decode();
    return [element, image];
  });
  return new Map(await Promise.all(loaded));
}

/** The edges of everything that is painted: some of it may be scrolled out of sight. */
function measure(part) {
  const boxes = [...part.querySelectorAll("*")]
    .filter((element) => !element.closest(LEFT_OUT))
    .map((element) => element.getBoundingClientRect());
  return { right: Math.max(...boxes.map((box) => box.right)), bottom: Math.max(...boxes.map((box) => box.bottom)) };
}

const isClear = (colour) => colour === "transparent" || /^rgba\(.*, 0\)$/.test(colour);

/** The colour behind it. */
function groundOf(part) {
  for (let element = part; element; element = element.parentElement) {
    const { backgroundColor } = getComputedStyle(element);
    if (!isClear(backgroundColor)) return backgroundColor;
  }
  return "#ffffff";
}

function paint(context, node, images) {
  if (node.nodeType === Node.TEXT_NODE) return paintText(context, node);
  if (node.nodeType !== Node.ELEMENT_NODE || node.matches(LEFT_OUT)) return;
  const style = getComputedStyle(node);
  if (style.display === "none" || style.visibility === "hidden") return;
  if (node instanceof SVGElement) {
    if (node.matches("image")) paintImage(context, node, images.get(node));
    else if (node.matches("rect")) paintRect(context, node, style);
    else if (node.matches("text")) return paintLabel(context, node, style);
  } else paintBox(context, node, style);
  for (const child of node.childNodes) paint(context, child, images);
}

/** Draw each letter where it stands: a canvas has no figures of one width. */
function paintText(context, node) {
  if (!node.data.trim()) return;
  const style = getComputedStyle(node.parentElement);
  setType(context, style, style.color);
  const range = document.createRange();
  for (const { segment, index } of graphemes.segment(node.data)) {
    if (!segment.trim()) continue;
    range.setStart(node, index);
    range.setEnd(node, index + segment.length);
    const box = range.getClientRects()[0];
    if (!box) continue;
    const { fontBoundingBoxAscent: ascent, fontBoundingBoxDescent: descent } = context.measureText(segment);
    context.fillText(segment, box.left, box.top + (box.height - ascent - descent) / 2 + ascent);
    if (style.textDecorationLine.includes("underline")) {
      context.fillRect(box.left, box.top + (box.height - ascent - descent) / 2 + ascent + 2, box.width, 1);
    }
  }
}

function setType(context, { fontStyle, fontWeight, fontSize, fontFamily }, colour) {
  context.font = `${fontStyle} ${fontWeight} ${fontSize} ${fontFamily}`;
  context.fillStyle = colour;
  context.textAlign = "left";
}

/** The background and the borders of an element. */
function paintBox(context, element, style) {
  const { left, top, width, height } = element.getBoundingClientRect();
  if (!isClear(style.backgroundColor)) {
    context.fillStyle = style.backgroundColor;
    context.fillRect(left, top, width, height);
  }
  for (const [side, y] of [
    ["Top", top],
    ["Bottom", top + height],
  ]) {
    const line = Number.parseFloat(style[`border${side}Width`]);
    if (!line || isClear(style[`border${side}Color`])) continue;
    context.fillStyle = style[`border${side}Color`];
    context.fillRect(left, side === "Top" ? y : y - line, width, line);
  }
}

/** The place on the screen of an SVG element with x, y, width and height. */
function placeOf(element) {
  const { a, d, e, f } = element.getScreenCTM();
  const [x, y, width, height] = ["x", "y", "width", "height"].map((name) => element[name].baseVal.value);
  return [a * x + e, d * y + f, a * width, d * height];
}

function paintImage(context, element, image) {
  context.drawImage(image, ...placeOf(element));
}

function paintRect(context, element, { fill, stroke, strokeWidth, strokeDasharray }) {
  const place = placeOf(element);
  if (fill.startsWith("url(")) hatch(context, place);
  else if (fill !== "none") {
    context.fillStyle = fill;
    context.fillRect(...place);
  }
  if (stroke === "none") return;
  context.strokeStyle = stroke;
  context.lineWidth = Number.parseFloat(strokeWidth);
  context.setLineDash(strokeDasharray === "none" ? [] : strokeDasharray.split(/[ ,]+/).map(Number.parseFloat));
  context.strokeRect(...place);
  context.setLineDash([]);
}

/** Padding, and places without a value. */
function hatch(context, [left, top, width, height]) {
  context.save();
  context.beginPath();
  context.rect(left, top, width, height);
  context.clip();
  context.beginPath();
  for (let at = HATCH; at < width + height; at += HATCH) {
    context.moveTo(left + at, top);
    context.lineTo(left + at - height, top + height);
  }
  context.strokeStyle = HATCH_COLOUR;
  context.lineWidth = 0.7;
  context.stroke();
  context.restore();
}

/** A text in an SVG picture. */
function paintLabel(context, element, style) {
  const { a, d, e, f } = element.getScreenCTM();
  setType(context, style, style.fill);
  context.textAlign = { start: "left", middle: "center", end: "right" }[style.textAnchor];
  context.fillText(element.textContent.trim(), a * element.x.baseVal[0].value + e, d * element.y.baseVal[0].value + f);
}
