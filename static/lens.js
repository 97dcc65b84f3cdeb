// The lens: the feature map under the pointer, large and half transparent over what the network sees.

import { readPlace } from "./maps.js";

/** Which map of a grid's picture lies under a point of the page, and where in the picture. */
function mapUnder(image, place, event) {
  const { first, count, columns, width, height, gap } = place;
  const box = image.getBoundingClientRect();
  const scale = image.naturalWidth / box.width;
  const column = Math.floor(((event.clientX - box.left) * scale) / (width + gap));
  const row = Math.floor(((event.clientY - box.top) * scale) / (height + gap));
  const number = row * columns + column;
  if (column >= columns || number < 0 || number >= count) return null;
  return { map: first + number, x: column * (width + gap), y: row * (height + gap), width, height };
}

/** Show the lens over every grid inside this element. */
export function addLens(layers, lens, seen) {
  const canvas = lens.querySelector("canvas");
  const context = canvas.getContext("2d");
  const caption = lens.querySelector("p");
  let last = null;

  const draw = () => {
    if (!last?.image.isConnected) return hide();
    const { image, event } = last;
    const { layer, extent } = image.parentElement.dataset;
    const under = mapUnder(image, readPlace(image.parentElement), event);
    if (!under) return hide();
    const input = seen();
    const scale = canvas.width / Math.max(input.naturalWidth, input.naturalHeight);
    const [top, left, bottom, right] = extent.split(" ").map((value) => Number(value) * scale);
    context.imageSmoothingEnabled = false;
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.drawImage(input, 0, 0, input.naturalWidth * scale, input.naturalHeight * scale);
    context.globalAlpha = 0.65;
    const { x, y, width, height } = under;
    context.drawImage(image, x, y, width, height, left, top, right - left, bottom - top);
    context.globalAlpha = 1;
    caption.textContent = `${layer} · map ${under.map}, over what the network sees`;
    lens.hidden = false;
    const space = 24;
    const beside = event.clientX + space + lens.offsetWidth < innerWidth;
    lens.style.left = `${beside ? event.clientX + space : Math.max(0, event.clientX - space - lens.offsetWidth)}px`;
    lens.style.top = `${Math.max(8, Math.min(innerHeight - lens.offsetHeight - 8, event.clientY - lens.offsetHeight / 2))}px`;
  };
  const hide = () => {
    last = null;
    lens.hidden = true;
  };

  layers.addEventListener("pointermove", (event) => {
    if (event.pointerType !== "mouse") return;
    const image = event.target.closest(".maps")?.querySelector("img.grid");
    last = image ? { image, event } : null;
    if (last) draw();
    else hide();
  });
  layers.addEventListener("click", hide);
  layers.addEventListener("pointerleave", hide);
  document.addEventListener("scroll", hide, { passive: true });
  document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
  return draw; // to be called when the maps have changed under a resting pointer
}
