// The cloud of digits: a page with a pad, whose drawing is a ring among them. A digit that is clicked comes onto the pad.

import { element } from "./dom.js";
import { startPadPage } from "./pad_page.js";

const REACH = 4; // from a digit within which a click means it, in units of the drawing
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const view = element("cloud-view");
const { send } = startPadPage(element("cloud"), view, { wide: 8, phone: 8, lecture: 8, paper: 8 });

let pointed = null; // the digit that Enter puts on the pad

const marks = () => [...view.querySelectorAll("[data-digit]")];
const placeOf = (mark) => [Number(mark.getAttribute("x")), Number(mark.getAttribute("y"))];

/** The digit that is nearest to a place of the drawing, if one is within reach. */
function nearest(x, y, reach = REACH) {
  let best = null;
  let least = reach;
  for (const mark of marks()) {
    const [atX, atY] = placeOf(mark);
    const distance = Math.hypot(atX - x, atY - y);
    if (distance < least) [best, least] = [mark, distance];
  }
  return best;
}

/** The digit that is next in a direction: near, and not far to its side. */
function next(from, [right, down]) {
  const [x, y] = placeOf(from);
  let best = null;
  let least = Infinity;
  for (const mark of marks()) {
    const [toX, toY] = placeOf(mark);
    const ahead = (toX - x) * right + (toY - y) * down;
    const aside = Math.abs((toX - x) * down) + Math.abs((toY - y) * right);
    if (mark !== from && ahead > 0 && ahead + 2 * aside < least) [best, least] = [mark, ahead + 2 * aside];
  }
  return best;
}

function point(mark) {
  pointed = mark;
  const [x, y] = mark ? placeOf(mark) : [-9, -9];
  element("cloud-pointed").setAttribute("cx", x);
  element("cloud-pointed").setAttribute("cy", y);
  const words = mark ? `${mark.textContent === "8" ? "An" : "A"} ${mark.textContent}, ${mark.dataset.digit}.` : "";
  element("cloud-named").textContent = words;
}

const open = (mark) => location.assign(`${mark.parentElement.dataset.link}&digit=${mark.dataset.digit}`);

function placeIn(plane, { clientX, clientY }) {
  const { x, y } = new DOMPoint(clientX, clientY).matrixTransform(plane.getScreenCTM().inverse());
  return [x, y];
}

view.addEventListener("pointermove", (event) => {
  const plane = event.target.closest("#cloud-plane");
  if (plane && event.pointerType === "mouse") point(nearest(...placeIn(plane, event)));
});
view.addEventListener("click", (event) => {
  const plane = event.target.closest("#cloud-plane");
  const mark = plane && nearest(...placeIn(plane, event));
  if (mark) open(mark);
});
view.addEventListener("keydown", (event) => {
  if (event.target.id !== "cloud-plane") return;
  if (event.key === "Enter" && pointed) open(pointed);
  const step = STEPS[event.key];
  if (!step) return;
  event.preventDefault();
  const middle = view.querySelector("#cloud-plane").viewBox.baseVal;
  const from = pointed?.isConnected ? pointed : null;
  point(from ? (next(from, step) ?? from) : nearest(middle.width / 2, middle.height / 2, Infinity));
});

// The digits come without the drawing's place: it is asked for once they are there.
document.addEventListener("htmx:after:swap", () => {
  if (marks().length && !element("cloud-drawing")) send();
});
