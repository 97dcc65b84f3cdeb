// Several digits in one picture: a mark around each on the pad, and buttons that choose the one that is read.

import { element } from "./dom.js";

const ROOM = 0.1; // of the pad's side, for a button above a mark

/**
 * A box of a picture as shares of the pad, on which the picture lies in the middle.
 * @param {number[]} box left, top, right and bottom in pixels of the picture
 * @param {{width: number, height: number}} picture in pixels
 */
export function placeBox([left, top, right, bottom], { width, height }) {
  const side = Math.max(width, height);
  const [x, y] = [(side - width) / 2, (side - height) / 2];
  return {
    left: (x + left) / side,
    top: (y + top) / side,
    width: (right - left) / side,
    height: (bottom - top) / side,
  };
}

export class SeveralDigits {
  /**
   * @param {HTMLFormElement} form whose field `region` names the digit that is read
   * @param {import("./pad.js").Pad} pad
   * @param {HTMLElement} answer holds a button for each digit, if there are several
   * @param {() => void} send asks for the results again
   */
  constructor(form, pad, answer, send) {
    this.field = form.elements.region;
    this.pad = pad;
    this.answer = answer;
    this.send = send;
    this.marks = element("pad-digits");
    for (const place of [answer, this.marks]) {
      place.addEventListener("click", ({ target }) => {
        const button = target.closest("[data-region]");
        if (button) this.read(button.dataset.region);
      });
    }
    document.addEventListener("htmx:after:swap", () => this.mark());
    form.elements.model.addEventListener("change", () => this.forget()); // it may be sent in another size
  }

  read(region) {
    this.field.value = region;
    this.field.disabled = false;
    this.send();
  }

  /** The drawing has changed: nobody has chosen anything in it. */
  forget() {
    this.field.disabled = true;
    this.marks.replaceChildren();
  }

  /** Mark the digits that the answer tells of. */
  mark() {
    // While a part of the picture is chosen, the answer is to that part.
    const buttons = this.pad.crop ? [] : [...this.answer.querySelectorAll("[data-region]")];
    this.marks.replaceChildren(...buttons.map((button, index) => this.makeMark(button, index + 1)));
  }

  makeMark(button, number) {
    const { region } = button.dataset;
    const mark = document.createElement("div");
    const place = placeBox(region.split(",").map(Number), this.pad.sentSize);
    for (const [side, share] of Object.entries(place)) mark.style[side] = `${share * 100}%`;
    mark.classList.toggle("is-at-top", place.top < ROOM);
    const choose = document.createElement("button");
    choose.type = "button";
    choose.dataset.region = region;
    choose.textContent = number;
    choose.title = button.getAttribute("aria-label");
    choose.setAttribute("aria-label", choose.title);
    choose.setAttribute("aria-pressed", button.getAttribute("aria-pressed"));
    mark.append(choose);
    return mark;
  }
}
