// What the explorer and the comparison share: the pad, joined to the form that htmx sends, the address, and the lens.
// htmx swaps the results in; nothing here draws them.

import { readDigit, readDrawing, readKept, writeAddress } from "./address.js";
import { keepPicture, linkWithPicture, readCarried } from "./carried_picture.js";
import { CropTool } from "./crop_tool.js";
import { element, showMessage } from "./dom.js";
import { Exchange } from "./exchange.js";
import { isModelFile } from "./files.js";
import { Inputs } from "./inputs.js";
import { KeyboardPen } from "./keyboard_pen.js";
import { addLens } from "./lens.js";
import { ModelInput } from "./model_input.js";
import { Pad } from "./pad.js";
import { connectTools, listenForFiles, readSample, recogniseSample, showHistory } from "./pad_tools.js";
import { openPictureFile } from "./picture_files.js";
import { SeveralDigits } from "./several_digits.js";
import { encodeStrokes } from "./strokes.js";

const CONFIRMED_MS = 4000;
const PHONE = matchMedia("(max-width: 700px)");

/**
 * @param {HTMLFormElement} form
 * @param {HTMLElement} results where the grids are
 * @param {{wide: number, phone: number, lecture: number, paper: number}} columns maps in a row of a grid
 * @param {?(file: File) => void} openModel takes a model's file; without it, the server refuses the file
 * @returns {{send: () => void, save: () => void, inputFrame: () => ?import("./input_frame.js").InputFrame, pad: Pad, inputs:
 *   Inputs}} send asks for the results again; save keeps the state in the address
 */
export function startPadPage(form, results, columns, openModel = null) {
  const suitPlace = () => {
    const { paper, lecture, theme } = document.documentElement.dataset;
    const place = paper ? "paper" : lecture !== undefined ? "lecture" : PHONE.matches ? "phone" : "wide";
    form.elements.columns.value = columns[place];
    // Zero is drawn near the page's own background.
    form.elements.theme.value = paper ? "light" : theme;
  };
  suitPlace();

  const pad = new Pad(element("canvas"));
  new KeyboardPen(pad, element("keyboard-pen"));
  const shown = ["answer", "overview", "stage"].map(element).filter(Boolean);
  const exchange = new Exchange(form, [results, ...shown], pad);
  const send = () => exchange.send();
  const save = () => writeAddress(form, pad.opened ? null : pad.drawn, inputs.strokes, pad.digit);
  const inputs = new Inputs(form, pad, readKept(), { send, save: () => save() });
  exchange.pictures = () => inputs.pictures;
  const input = new ModelInput(pad, form.elements.model);
  const digits = new SeveralDigits(form, pad, element("answer"), send);
  const cropTool = new CropTool(pad);
  pad.onChange = () => {
    // From its second point on, a stroke changes nothing but the drawing; to write the rest anew would slow each frame.
    if (!(pad.current?.points.length > 1)) {
      delete element("errors").dataset.about;
      digits.forget();
      showHistory(pad);
      cropTool.show();
      input.showFrame();
    }
    send();
    if (!pad.current && !pad.crop) save();
  };

  // Another model has other layers, and starts as it was trained. This comes before the address is written.
  document.addEventListener(
    "change",
    ({ target }) => {
      if (target !== form.elements.model) return;
      form.elements.edits.value = "";
      element("edited")?.remove();
    },
    { capture: true },
  );
  form.addEventListener("change", () => {
    delete element("errors").dataset.about;
  });
  // Choices that stand elsewhere on the page are the form's as well.
  document.addEventListener("change", ({ target }) => {
    if (target.form === form && !form.contains(target)) form.dispatchEvent(new Event("change"));
  });
  const showAgain = () => {
    suitPlace();
    send();
  };
  for (const type of ["theme", "layout"]) document.addEventListener(type, showAgain);
  PHONE.addEventListener("change", showAgain);
  connectTools(pad);
  // Where the server takes no models, it says so of a model, and of anything else that it is no picture.
  const openOther = element("own-model") && openModel;
  listenForFiles(
    (file) => (openModel && isModelFile(file) ? openModel(file) : openPicture(file, pad, openOther)),
    (error) => showMessage(element("errors"), error.message),
  );
  keepInAddress(form, pad, save);
  const redrawLens = addLens(results, element("lens"), () => element("seen"));
  document.addEventListener("htmx:after:swap", redrawLens);
  return { send, save, inputFrame: () => input.inputFrame, pad, inputs };
}

let opening = null; // the file that was chosen last, until it is open

/**
 * Show a picture on the pad, and say how it was changed; or say why not, and leave the pad as it was. What is no picture
 * goes to the opener of models, if there is one, which says what it is.
 */
async function openPicture(file, pad, openOther) {
  opening = file;
  try {
    const { picture, note } = await openPictureFile(file);
    if (opening === file) pad.show({ ...picture, note }); // else another one was chosen meanwhile
  } catch (error) {
    if (opening !== file) return;
    if (error.isNoPicture && openOther && !file.type.startsWith("image/")) {
      openOther(file);
      return;
    }
    showMessage(element("errors"), error.message);
    element("errors").dataset.about = "picture";
  }
}

/** Put a real digit on the pad, pixel by pixel as MNIST has it; the address goes on naming it while it is alone there. */
async function openDigit(digit, pad) {
  const [set, number] = digit.split("-");
  try {
    const answer = await fetch(`/api/digits/${set}/${number}.png`);
    if (!answer.ok) throw new Error((await answer.json()).detail);
    const { picture } = await openPictureFile(new File([await answer.blob()], `${digit}.png`));
    pad.show({ ...picture, digit, note: `Digit ${number} of MNIST's ${set} digits.` });
  } catch (error) {
    showMessage(element("errors"), error.message);
  }
}

/**
 * Begin with the address's drawing, the real digit that it names, or the sample that the page was rendered with, and
 * keep the address up to date.
 */
function keepInAddress(form, pad, save) {
  // What was drawn before this ran is kept.
  if (!pad.strokes.length) {
    const drawn = readDrawing();
    const digit = drawn ? null : readDigit();
    // A step of a lesson names the sample that it speaks of.
    const hasSample = new URLSearchParams(location.search).has("sample");
    const picture = drawn || digit || hasSample ? null : readCarried();
    pad.strokes = drawn ?? (digit || picture ? [] : readSample(document.querySelector("[data-first]")));
    if (digit) openDigit(digit, pad);
    else if (picture) openPicture(picture, pad);
    else {
      recogniseSample(pad);
      pad.redraw();
    }
  }
  form.addEventListener("change", save);
  addEventListener("hashchange", () => {
    const strokes = readDrawing();
    if (strokes && encodeStrokes(strokes) !== encodeStrokes(pad.drawn)) pad.replace(strokes);
  });
  addEventListener("pagehide", () => keepPicture(pad));
  element("copy-link").addEventListener("click", async ({ target }) => {
    const link = linkWithPicture(pad);
    history.replaceState(null, "", link);
    // Over plain HTTP a browser lets no page write to the clipboard.
    const isCopied = await navigator.clipboard?.writeText(link).then(
      () => true,
      () => false,
    );
    target.textContent = isCopied ? "Copied" : "The address holds it now: copy it from there";
    setTimeout(() => {
      target.textContent = target.dataset.label;
    }, CONFIRMED_MS);
  });
  // A link to another page with a pad may be followed before the last stroke is in the address.
  document.addEventListener("click", (event) => {
    if (event.target.closest("a[data-keeps-drawing]")) save();
  });
}
