// The tool that cuts a part out of the picture on the pad, and turns it: by mouse, finger and keyboard. The answer is to
// the part in the box while that is still being drawn.

import { boxBetween, cutOut, isWhole, moveBox, resizeBox, SIDE, turnQuarters, wholeBox, wholeCrop } from "./crop.js";
import { element, showMessage } from "./dom.js";
import { decode, encode, fitInto, shrink } from "./picture_files.js";

const CUT_SIDE = 2048; // pixels of what is cut out for good
const STEP = 4; // of an arrow key
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class CropTool {
  /** @param {import("./pad.js").Pad} pad */
  constructor(pad) {
    this.pad = pad;
    this.area = element("crop-area");
    this.box = element("crop-box");
    this.tools = element("crop-tools");
    this.drag = null; // {pointer, edges, from, box}
    this.listen();
  }

  listen() {
    element("crop").addEventListener("click", () => this.begin());
    element("crop-apply").addEventListener("click", () => this.apply());
    element("crop-cancel").addEventListener("click", () => this.end());
    element("crop-left").addEventListener("click", () => this.change(turnQuarters(this.pad.crop, -1)));
    element("crop-right").addEventListener("click", () => this.change(turnQuarters(this.pad.crop, 1)));
    element("crop-turn").addEventListener("input", ({ target }) => {
      this.change({ ...this.pad.crop, degrees: Number(target.value) });
    });
    for (const place of [this.area, this.tools]) place.addEventListener("keydown", (event) => this.press(event));
    this.area.addEventListener("pointerdown", (event) => this.grasp(event));
    this.area.addEventListener("pointermove", (event) => this.pull(event));
    for (const end of ["pointerup", "pointercancel"]) {
      this.area.addEventListener(end, ({ pointerId }) => {
        if (this.drag?.pointer === pointerId) this.drag = null;
      });
    }
  }

  /** Take up the crop where it was left, on the whole picture. */
  begin() {
    const { picture, opened } = this.pad;
    this.pad.crop = picture.crop ?? wholeCrop(opened.bitmap);
    this.pad.redraw();
    this.box.focus({ preventScroll: true });
  }

  change(crop) {
    this.pad.crop = crop;
    this.pad.redraw();
  }

  changeBox(box) {
    this.change({ ...this.pad.crop, box });
  }

  end() {
    this.pad.crop = null;
    this.pad.redraw();
    element("crop").focus({ preventScroll: true });
  }

  /** Cut the part out of the file that was opened, which may have more pixels than the pad shows. */
  async apply() {
    const { crop, opened } = this.pad;
    if (!crop) return;
    this.wait(true); // a large file takes a second or two
    try {
      const picture = isWhole(crop, opened.bitmap) ? opened : await this.cut(opened, crop);
      if (this.pad.crop !== crop) return; // another picture was opened meanwhile
      this.pad.crop = null;
      this.pad.putCut(picture);
    } catch (error) {
      showMessage(element("errors"), error.message);
    } finally {
      this.wait(false);
    }
    element("crop").focus({ preventScroll: true });
  }

  wait(isWaiting) {
    for (const place of [this.area, this.tools]) place.inert = isWaiting;
    this.tools.classList.toggle("is-stale", isWaiting);
  }

  async cut(opened, crop) {
    let source = await decode(opened.original).catch(() => opened.bitmap);
    const part = Math.max(crop.box.width, crop.box.height) / SIDE;
    const useful = fitInto(source, Math.round((2 * CUT_SIDE) / part));
    if (useful.width < source.width) source = shrink(source, useful);
    const { maxBytes } = element("picture").dataset;
    const { canvas, file } = await encode(cutOut(source, crop, CUT_SIDE), Number(maxBytes));
    return { ...opened, bitmap: canvas, file, crop, digit: null };
  }

  /** Show the tool where there is a picture, and the box as it is. */
  show() {
    const { crop } = this.pad;
    element("crop").hidden = !this.pad.file;
    element("picture-note").textContent = this.pad.opened?.note ?? "";
    const isOpen = crop !== null;
    element("picture-link").hidden = isOpen || this.pad.opened === null || this.pad.digit !== null;
    this.area.hidden = !isOpen;
    this.tools.hidden = !isOpen;
    element("tools").hidden = isOpen;
    element("pad").classList.toggle("is-cropping", isOpen);
    this.pad.canvas.tabIndex = isOpen ? -1 : 0;
    if (!isOpen) {
      this.drag = null;
      return;
    }
    for (const [side, value] of Object.entries(crop.box)) this.box.style[side] = `${(value / SIDE) * 100}%`;
    element("crop-turn").value = crop.degrees;
    element("crop-degrees").textContent = `${crop.degrees}°`;
    element("crop-status").textContent = describeCrop(crop);
  }

  press(event) {
    if (event.key === "Escape") this.end();
    else if (event.target !== this.box) return;
    else if (event.key === "Enter") this.apply();
    else if (event.key in ARROWS && !event.ctrlKey && !event.metaKey && !event.altKey) {
      const [x, y] = ARROWS[event.key].map((direction) => direction * STEP);
      const { box } = this.pad.crop;
      this.changeBox(event.shiftKey ? resizeBox(box, "se", x, y) : moveBox(box, x, y));
    } else return;
    event.preventDefault();
  }

  grasp(event) {
    if (event.button !== 0 || this.drag) return;
    event.preventDefault();
    this.box.focus({ preventScroll: true });
    this.area.setPointerCapture(event.pointerId);
    const edges = event.target.dataset.edges ?? "";
    // A box that is drawn anew begins outside of the old one, or anywhere where that is the whole picture.
    const isNew = !edges && (event.target === this.area || this.isAll());
    this.drag = { pointer: event.pointerId, edges, isNew, from: this.pad.place(event), box: this.pad.crop.box };
  }

  isAll() {
    const { crop, opened } = this.pad;
    const whole = wholeBox(opened.bitmap, crop.quarters);
    return Object.keys(whole).every((side) => Math.abs(whole[side] - crop.box[side]) < 1);
  }

  pull(event) {
    if (this.drag?.pointer !== event.pointerId) return;
    const { edges, isNew, from, box } = this.drag;
    const to = this.pad.place(event);
    const [x, y] = [to[0] - from[0], to[1] - from[1]];
    if (isNew) this.changeBox(boxBetween(from, to));
    else this.changeBox(edges ? resizeBox(box, edges, x, y) : moveBox(box, x, y));
  }
}

/** What a screen reader says of a crop, in hundredths of the pad. */
export function describeCrop({ quarters, degrees, box }) {
  const [left, top, width, height] = [box.left, box.top, box.width, box.height].map((value) =>
    Math.round((value / SIDE) * 100),
  );
  const turned = quarters * 90 + degrees;
  const turn = turned ? `, turned by ${turned > 180 ? turned - 360 : turned}°` : "";
  return `The box is ${width} % wide and ${height} % high, ${left} % from the left and ${top} % from the top${turn}.`;
}
