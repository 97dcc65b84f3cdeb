// The receptive field of the cell under the microscope, drawn where one looks: on the pad, on what the network sees, and
// on every grid on the way.

import { SIDE } from "./crop.js";
import { element } from "./dom.js";
import { placeOnPad } from "./input_frame.js";
import { readPlace } from "./maps.js";

/**
 * Draw the regions of the panel's cell, or none where there is no panel.
 * @param {?HTMLElement} panel says in data-regions what the cell sees: [top, left, bottom, right] by layer
 * @param {() => ?import("./input_frame.js").InputFrame} inputFrame where the network's input lies on the pad
 */
export function showRegions(panel, inputFrame) {
  const regions = panel ? JSON.parse(panel.dataset.regions) : {};
  const frame = regions[""] && inputFrame();
  draw(element("pad-region"), SIDE, SIDE, frame ? boxOf(placeOnPad(frame, regions[""]), SIDE, SIDE) : "");
  const [seen, region] = [element("seen"), element("seen-region")];
  if (region) {
    const [width, height] = ["width", "height"].map((side) => Number(seen.getAttribute(side)));
    draw(region, width, height, boxOf(regions[""], width, height));
  }
  for (const picture of document.querySelectorAll(".maps[data-place] > .maps-regions")) {
    const { layer, place } = picture.parentElement.dataset;
    const own = panel && layer === panel.dataset.layer ? Number(panel.dataset.channel) : null;
    drawOnGrid(picture, readPlace(picture.parentElement), regions[layer], own, `${regions[layer]} ${own} ${place}`);
  }
}

/** Draw a region on every map of a grid, or the cell on its own map alone. */
function drawOnGrid(picture, { first, count, columns, width, height, gap }, region, own, key) {
  if (picture.drawnFor === key) return;
  picture.drawnFor = key;
  const [across, down] = [width + gap, height + gap];
  const indices =
    own === null ? [...Array(count).keys()] : [own - first].filter((index) => index >= 0 && index < count);
  const path = indices.map((index) =>
    boxOf(region, width, height, (index % columns) * across, Math.floor(index / columns) * down),
  );
  draw(picture, columns * across - gap, Math.ceil(count / columns) * down - gap, path.join(""));
}

function draw(picture, width, height, path) {
  // Where nothing is marked before and after, as while one draws, the browser has nothing to do.
  const box = `0 0 ${width} ${height}`;
  if (picture.getAttribute("viewBox") !== box) picture.setAttribute("viewBox", box);
  for (const each of picture.children) if ((each.getAttribute("d") ?? "") !== path) each.setAttribute("d", path);
}

/** The outline of what lies within a map of a region, which may reach into the padding; empty where nothing does. */
export function boxOf(region, width, height, x = 0, y = 0) {
  // All of a map needs no frame.
  if (!region || (region[0] <= 0 && region[1] <= 0 && region[2] >= height && region[3] >= width)) return "";
  const [top, bottom] = [region[0], region[2]].map((each) => Math.max(0, Math.min(height, each)));
  const [left, right] = [region[1], region[3]].map((each) => Math.max(0, Math.min(width, each)));
  if (top >= bottom || left >= right) return "";
  return `M${x + left} ${y + top}h${right - left}v${bottom - top}h${left - right}z`;
}
