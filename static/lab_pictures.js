// The picture that the lab works on: a sample, the pad's drawing, which the address holds, or a picture of one's own.

import { readDrawing } from "./address.js";
import { readCarried } from "./carried_picture.js";
import { element, showMessage } from "./dom.js";
import { readDrop } from "./files.js";
import { Pad } from "./pad.js";
import { openPictureFile } from "./picture_files.js";

const KEPT = "layerglass.lab.picture";
const KEPT_BYTES = 3 * 2 ** 20; // a browser keeps about five megabytes for a page
const NOT_KEPT = "It is too large for this browser to keep: it is gone when this page is left.";
const LOST = "This link was made with a picture that no address can hold. Here is the chain on a sample.";
const PAD_SIDE = 560;

/**
 * @param {() => void} onChange
 */
export function addPictures(onChange) {
  const radios = () => [...element("lab-pictures").querySelectorAll("input[name=picture]")];
  const grey = document.querySelector("input[name=grey]");
  const note = element("lab-picture-note");
  const held = { own: null, drawing: null }; // what is sent for each: its file, its digest, whether the server has it

  const pictures = {
    get chosen() {
      return radios().find((each) => each.checked)?.value ?? radios()[0].value;
    },
    get isGrey() {
      return grey.checked;
    },
    /** What is sent beside the name; null for a sample. */
    async current() {
      return held[pictures.chosen] ?? null;
    },
    choose(name, isGrey) {
      const found = radios().find((each) => each.value === name && (held[name] || !(name in held)));
      (found ?? radios()[0]).checked = true;
      grey.checked = isGrey;
      sayAbout();
    },
  };

  function sayAbout() {
    element("lab-about").textContent = radios().find((each) => each.checked)?.dataset.about ?? "";
  }

  async function hold(name, file, bitmap) {
    const label = element(name === "own" ? "lab-own" : "lab-drawing");
    label.hidden = false;
    const canvas = label.querySelector("canvas");
    const scale = Math.min(canvas.width / bitmap.width, canvas.height / bitmap.height);
    const [width, height] = [bitmap.width * scale, bitmap.height * scale];
    const context = canvas.getContext("2d");
    context.fillStyle = "#ffffff";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(bitmap, (canvas.width - width) / 2, (canvas.height - height) / 2, width, height);
    held[name] = { file, digest: await digestOf(file), isKnown: false };
  }

  /** Open a file, or say why not and leave everything as it was. */
  async function open(file, isKept = true) {
    try {
      const { picture, note: changed } = await openPictureFile(file);
      await hold("own", picture.file, picture.bitmap);
      note.textContent = [changed, isKept && (await keep(picture.file)) ? NOT_KEPT : ""].filter(Boolean).join(" ");
      radios().find((each) => each.value === "own").checked = true;
      sayAbout();
      onChange();
    } catch (error) {
      showMessage(element("errors"), error.message);
    }
  }

  element("lab-pictures").addEventListener("change", () => {
    note.textContent = "";
    sayAbout();
    onChange();
  });
  grey.addEventListener("change", onChange);
  listenForFiles(open);
  restore();

  async function restore() {
    const asked = new URLSearchParams(location.search).get("picture");
    const strokes = readDrawing();
    const carried = strokes ? null : readCarried();
    if (strokes) {
      const pad = new Pad(Object.assign(document.createElement("canvas"), { width: PAD_SIDE, height: PAD_SIDE }));
      pad.replace(strokes);
      await hold("drawing", new File([pad.toPng()], "drawing.png", { type: "image/png" }), pad.canvas);
    } else if (carried) {
      const { picture } = await openPictureFile(carried);
      await hold("drawing", picture.file, picture.bitmap);
    }
    const kept = readKept();
    if (kept) {
      const { picture } = await openPictureFile(kept);
      await hold("own", picture.file, picture.bitmap);
    }
    if (!(asked in held)) return;
    if (!held[asked]) note.textContent = LOST;
    pictures.choose(asked, grey.checked);
    if (held[asked]) onChange();
  }

  return pictures;
}

function listenForFiles(open) {
  const page = document.querySelector(".lab");
  const openFirst = ([file]) => file && open(file);
  element("picture").addEventListener("change", (event) => {
    openFirst(event.target.files);
    event.target.value = "";
  });
  document.addEventListener("paste", (event) => openFirst(event.clipboardData.files));
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    page.classList.add("is-target");
  });
  for (const end of ["dragleave", "drop"]) document.addEventListener(end, () => page.classList.remove("is-target"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    readDrop(event.dataTransfer).then(
      (file) => openFirst([file]),
      (error) => showMessage(element("errors"), error.message),
    );
  });
}

/** The SHA-256 of a file, by which the server remembers it; null where the browser has none, as over plain HTTP. */
async function digestOf(file) {
  if (!crypto.subtle) return null;
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
  return Array.from(bytes, (each) => each.toString(16).padStart(2, "0")).join("");
}

/** Keep a picture while this tab is open; true if the browser will not. */
async function keep(file) {
  try {
    if (file.size > KEPT_BYTES) throw new Error("too large");
    sessionStorage.setItem(KEPT, await asText(file));
    return false;
  } catch {
    return true;
  }
}

const asText = (file) =>
  new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.split(",")[1]);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });

function readKept() {
  try {
    const text = sessionStorage.getItem(KEPT);
    return text && new File([Uint8Array.from(atob(text), (character) => character.charCodeAt(0))], "picture");
  } catch {
    return null;
  }
}
