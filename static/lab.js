// The lab's page: the chain of operations, joined to the form that htmx sends. The server computes and draws; here are the
// chain's steps, what is sent when, and what is put back.

import { element, showMessage } from "./dom.js";
import { LabAddress } from "./lab_address.js";
import { Chain } from "./lab_chain.js";
import { LabMicroscope } from "./lab_microscope.js";
import { addPictures } from "./lab_pictures.js";
import { addLabSaving } from "./lab_saving.js";
import { addSteps } from "./lab_steps.js";

const REST_MS = 250; // after the last move of a slider, what takes long is worked out
const FEWEST_PIXELS = 80; // a picture's width on the screen is rounded up to multiples of it
const AWAY = "The server does not answer. Your chain and picture are safe here; change something to send them again.";
const KEPT = /<figure data-kept="([^"]*)" data-of="(\d+)"><\/figure>/g; // a picture that the page has
const SKIP = "hx-morph-skip"; // what htmx leaves alone
const CONFLICT = 409; // the server has forgotten the picture that was sent before

const form = element("lab");
const look = element("lab-look");
const results = element("lab-chain");
const chain = new Chain(element("lab-steps").dataset.chain);
const differences = new Set();

let resting = 0;
let isLean = false;
let asked = ""; // the chain of the last request
let underWay = null; // whether the request that waits for its answer is lean; null where none does

/** Ask for the pictures of the chain as it is now. isDragged: a slider is being moved, and more will follow. */
function send(isDragged = false) {
  clearTimeout(resting);
  isLean = isDragged;
  // What takes long would keep the next move waiting. What it has computed until then is remembered.
  if (isDragged && underWay === false) form.dispatchEvent(new CustomEvent("htmx:abort"));
  if (isDragged) resting = setTimeout(() => send(), REST_MS);
  form.dispatchEvent(new CustomEvent("chain"));
}

const pictures = addPictures(() => {
  address.write(true);
  send();
});
const address = new LabAddress(form, chain, pictures, () => {
  microscope.select(address.cell);
  send();
});
const microscope = new LabMicroscope(look, results, element("dock"), address);

/** How many pixels a picture has on the screen. */
function widthOfPictures() {
  const wide = Math.max(...[...results.querySelectorAll(".lab-frame")].map((each) => each.clientWidth), 0) || 400;
  return Math.min(2048, Math.ceil((wide * devicePixelRatio) / FEWEST_PIXELS) * FEWEST_PIXELS);
}

/** Fill in what a request says, when it leaves. */
function fill(body) {
  form.elements.theme.value = document.documentElement.dataset.theme;
  body.set("theme", form.elements.theme.value);
  body.set("chain", chain.text);
  body.set("width", widthOfPictures());
  body.set("differences", [...differences].join(","));
  body.set("picture", pictures.chosen);
  if (pictures.isGrey) body.set("grey", "true");
  else body.delete("grey");
  microscope.fill(body);
}

/** Send a request with the picture that no address holds: its digest if the server may have it, else its bytes. */
async function fetchWithPicture(path, request) {
  const { body } = request;
  const sent = await pictures.current();
  if (!sent) return fetch(path, request);
  if (sent.digest && sent.isKnown) {
    body.set("digest", sent.digest);
    const answer = await fetch(path, request);
    if (answer.status !== CONFLICT) return answer;
    body.delete("digest");
  }
  body.set("file", sent.file, "picture");
  const answer = await fetch(path, request);
  sent.isKnown = answer.ok;
  return answer;
}

/** Put the pictures that the page has in the places where an answer only names them. */
async function fetchChain(path, request) {
  for (const each of results.querySelectorAll(`[${SKIP}]`)) each.removeAttribute(SKIP);
  const figures = new Map([...results.querySelectorAll("[data-key]")].map((each) => [each.dataset.key, each]));
  request.body.set("have", [...figures.keys()].join(","));
  if (isLean) request.body.set("lean", "true");
  underWay = isLean;
  const answer = await fetchWithPicture(path, request);
  if (!answer.ok) return answer;
  const text = (await answer.text()).replaceAll(KEPT, (whole, key, step) => {
    const here = results.querySelector(`#step-${step} [data-key]`);
    if (here?.dataset.key !== key) return figures.has(key) ? write(figures.get(key)) : "";
    here.setAttribute(SKIP, ""); // it stays as it is: a picture is long to read again
    return whole;
  });
  return new Response(text, { status: answer.status, headers: { "Content-Type": "text/html" } });
}

/** A figure as HTML, without its marks' places: a page's policy allows no style in HTML. */
function write(figure) {
  const copy = figure.cloneNode(true);
  for (const each of copy.querySelectorAll("[style]")) each.removeAttribute("style");
  return copy.outerHTML;
}

for (const each of [form, look]) {
  each.addEventListener("htmx:before:request", ({ detail }) => {
    const { ctx } = detail;
    fill(ctx.request.body);
    if (each === form) asked = chain.text;
    ctx.fetch = each === form ? fetchChain : fetchWithPicture;
  });
}
form.addEventListener("htmx:after:request", ({ detail }) => {
  if (detail.ctx.response?.status < 400) element("errors").replaceChildren();
});
form.addEventListener("htmx:finally:request", () => {
  underWay = null;
});
form.addEventListener("htmx:error", ({ detail }) => {
  if (!detail.ctx.response && detail.error?.name !== "AbortError") showMessage(element("errors"), AWAY);
});
form.addEventListener("htmx:after:swap", () => {
  for (const each of results.querySelectorAll(`[${SKIP}]`)) each.removeAttribute(SKIP);
  if (isCurrent()) chain.accept(element("lab-steps").dataset.chain);
  takeOver();
  if (isLean) microscope.mark();
  else {
    address.write(false);
    microscope.refresh();
  }
});
look.addEventListener("htmx:after:swap", () => microscope.show());

/** Whether the answer is of the chain as it is now, and not of one before a change that is still to be sent. */
const isCurrent = () => asked === chain.text;

/** Controls show what the server says, also where the person had set them before; but the one in use stays. */
function takeOver() {
  for (const each of results.querySelectorAll("input, select")) {
    if (each === document.activeElement) continue;
    if (each.matches("select")) for (const option of each.options) option.selected = option.defaultSelected;
    else if (each.matches("[type=checkbox], [type=radio]")) each.checked = each.defaultChecked;
    else each.value = each.defaultValue;
  }
}

addSteps(results, chain, {
  change: (isDragged) => {
    if (!isDragged) address.write(true);
    send(isDragged);
  },
  refuse: (message) => showMessage(element("errors"), message),
});
results.addEventListener("change", ({ target }) => {
  const { difference } = target.dataset;
  if (!difference) return;
  if (target.checked) differences.add(difference);
  else differences.delete(difference);
  send();
});
element("lab-reset").addEventListener("click", () => {
  chain.reset();
  address.write(true);
  send();
});
for (const type of ["theme", "layout"]) document.addEventListener(type, () => send());
addEventListener("resize", () => send(true));
addLabSaving(results, chain, pictures, (message) => showMessage(element("errors"), message));

// The first pictures are drawn for a light page and a width that was guessed. htmx may not have read the form yet.
if (form.hasAttribute("data-htmx-powered")) send();
else form.addEventListener("htmx:after:init", () => send(), { once: true });
