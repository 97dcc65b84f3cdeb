// The pad as the chosen model sees it: in colour or black, as large as its input can use, and with a frame around what
// it gets.

import { element } from "./dom.js";

/**
 * The part of the pad that the network gets, centred: width and height from 0 to 1.
 * @param {{width: number, height: number}} extent of the picture that is sent, from 0 to 1
 * @param {?{width: number, height: number}} filled the input, if the picture's middle fills it and the rest is cut off
 */
export function frameOf(extent, filled) {
  const { width, height } = filled ?? extent;
  const scale = Math.min(extent.width / width, extent.height / height);
  return { width: width * scale, height: height * scale };
}

/** Width and height as the templates write them, or null. */
function readSize({ size }) {
  if (!size) return null;
  const [width, height] = size.split(" ").map(Number);
  return { width, height };
}

export class ModelInput {
  /**
   * @param {import("./pad.js").Pad} pad
   * @param {HTMLSelectElement} model the choice of a model
   */
  constructor(pad, model) {
    this.pad = pad;
    this.model = model;
    model.addEventListener("change", () => this.update());
    document.addEventListener("htmx:after:swap", () => this.update());
    this.update();
  }

  /** The data of the chosen model's option; none while the page offers no model. */
  get chosen() {
    return this.model.selectedOptions[0]?.dataset ?? {};
  }

  /**
   * The channels, the fit and the input's size of the chosen model. The last answer knows them best, if that model gave
   * it. Otherwise, as before the first answer or while the pad is empty, the model's option says them.
   */
  get seen() {
    const { dataset: answered } = document.querySelector("#answer [data-channels]");
    const name = this.model.selectedOptions[0]?.value;
    return answered.seenBy === name || !this.chosen.channels ? answered : this.chosen;
  }

  update() {
    const { channels } = this.seen;
    const isInColour = channels === "3" || channels === "4";
    element("colours").hidden = !isInColour;
    element("pad").classList.toggle("is-in-colour", isInColour);
    this.pad.showColours(isInColour);
    // Not the size of the last answer's image: for an input of any size, that is the size of the drawing itself.
    const size = readSize(this.chosen);
    this.pad.suitInput(size ? Math.max(size.width, size.height) : Infinity);
    this.showFrame();
  }

  showFrame() {
    const { extent } = this.pad;
    const { seen } = this;
    const { width, height } = frameOf(extent, seen.fit === "fill" ? readSize(seen) : null);
    const frame = element("frame");
    frame.hidden = this.pad.crop !== null || (width === extent.width && height === extent.height);
    Object.assign(frame.style, {
      width: `${width * 100}%`,
      height: `${height * 100}%`,
      left: `${(1 - width) * 50}%`,
      top: `${(1 - height) * 50}%`,
    });
  }
}
