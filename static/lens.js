// The lens: the feature map under the pointer, large and half transparent over what the network sees.

import { mapAt, nameOf, readPlace } from "./maps.js";

const SPACE = 24; // between the pointer and the lens, in pixels
const MARGIN = 8; // between the lens and the edge of the window

/**
 * Show the lens over every grid in an element.
 * @param {HTMLElement} layers
 * @param {HTMLElement} lens
 * @param {() => HTMLImageElement} seen the picture of what the network sees
 * @returns {() => void} draws the lens again when the maps have changed under a resting pointer
 */
export function addLens(layers, lens, seen) {
  let last = null; // {image, event}: the grid under the pointer, and where on it

  const hide = () => {
    last = null;
    lens.hidden = true;
  };
  const draw = () => {
    const map = last?.image.isConnected && findMap(last.image, last.event);
    if (!map) return hide();
    drawMap(lens, last.image, map, seen());
    lens.hidden = false;
    moveBeside(lens, last.event);
  };

  layers.addEventListener("pointermove", (event) => {
    if (event.pointerType !== "mouse") return;
    const image = event.target.closest(".maps")?.querySelector("img.maps-grid");
    last = image ? { image, event } : null;
    draw();
  });
  layers.addEventListener("click", hide);
  layers.addEventListener("pointerleave", hide);
  document.addEventListener("scroll", hide, { passive: true });
  document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
  return draw;
}

function findMap(image, event) {
  const box = image.getBoundingClientRect();
  const scale = image.naturalWidth / box.width;
  const place = readPlace(image.parentElement);
  return mapAt(place, (event.clientX - box.left) * scale, (event.clientY - box.top) * scale);
}

function drawMap(lens, image, { map, x, y, width, height }, input) {
  const canvas = lens.querySelector("canvas");
  const context = canvas.getContext("2d");
  const { extent, ...maps } = image.parentElement.dataset;
  const scale = canvas.width / Math.max(input.naturalWidth, input.naturalHeight);
  // Maps that do not depend on the drawing have no place over it.
  const [top, left, bottom, right] = extent
    ? extent.split(" ").map((value) => Number(value) * scale)
    : fitInto(canvas, width / height);
  context.imageSmoothingEnabled = false;
  context.clearRect(0, 0, canvas.width, canvas.height);
  if (extent) context.drawImage(input, 0, 0, input.naturalWidth * scale, input.naturalHeight * scale);
  context.globalAlpha = extent ? 0.65 : 1;
  context.drawImage(image, x, y, width, height, left, top, right - left, bottom - top);
  context.globalAlpha = 1;
  lens.querySelector("p").textContent = `${nameOf(maps)} · map ${map}${extent ? ", over what the network sees" : ""}`;
}

/** The box of something of this shape in a canvas: top, left, bottom, right. */
function fitInto(canvas, ratio) {
  const width = canvas.width * Math.min(1, ratio);
  return [0, 0, Math.min(canvas.height, width / ratio), width];
}

/** Put the lens at the right of the pointer, or at its left where there is no room. */
function moveBeside({ style, offsetWidth, offsetHeight }, { clientX, clientY }) {
  const hasRoom = clientX + SPACE + offsetWidth < innerWidth;
  const left = hasRoom ? clientX + SPACE : Math.max(0, clientX - SPACE - offsetWidth);
  const lowest = innerHeight - offsetHeight - MARGIN;
  style.left = `${left}px`;
  style.top = `${Math.max(MARGIN, Math.min(lowest, clientY - offsetHeight / 2))}px`;
}
