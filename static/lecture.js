// Lecture mode: everything twice as large, in full screen where the browser allows it. L enters and leaves it; in it, S is
// the spotlight and T the theme.

import { isTyping } from "./dom.js";
import { Spotlight } from "./spotlight.js";

const KEY = "layerglass-lecture"; // a lecture goes on over several pages, until the tab is closed
const SCREEN = { width: 1920, height: 1080 }; // where everything is twice as large; in proportion on others
const ENLARGED = 2;

const root = document.documentElement;
const spotlight = new Spotlight();
const isOn = () => root.dataset.lecture !== undefined;

/** Set the factor by which everything is larger than on a page. */
function fit() {
  const factor = ENLARGED * Math.min(innerWidth / SCREEN.width, innerHeight / SCREEN.height);
  root.style.setProperty("--enlarged", factor.toFixed(4));
}

/** The layer that is held, else the first one in view below the top of the page. */
function findPlace() {
  const held = document.querySelector(".maps-button.is-held")?.closest("[data-layer]");
  const articles = [...document.querySelectorAll("article[data-layer]")];
  const first = articles.find((article) => article.getBoundingClientRect().bottom > innerHeight / 4);
  return held?.closest("article") ?? (first === articles[0] ? null : first);
}

function show(isShown) {
  const place = findPlace();
  if (isShown) root.dataset.lecture = "";
  else delete root.dataset.lecture;
  if (!isShown) spotlight.turn(false);
  fit();
  for (const button of document.querySelectorAll("[data-lecture-switch]")) {
    const words = isShown ? "Leave lecture mode" : "Lecture mode: full screen, twice as large";
    button.textContent = isShown ? "Leave" : "Lecture";
    button.setAttribute("aria-label", words);
    button.title = `${words} (L${isShown ? " or Escape" : ""})`;
  }
  try {
    if (isShown) sessionStorage.setItem(KEY, "on");
    else sessionStorage.removeItem(KEY);
  } catch {
    // It holds until the page is left.
  }
  document.dispatchEvent(new CustomEvent("layout"));
  place?.scrollIntoView();
}

async function enter() {
  show(true);
  try {
    await root.requestFullscreen?.({ navigationUI: "hide" });
  } catch {
    return; // refused: it fills the window instead
  }
  if (!isOn()) leaveFullScreen();
}

function leave() {
  show(false);
  leaveFullScreen();
}

function leaveFullScreen() {
  if (document.fullscreenElement === root) document.exitFullscreen().catch(() => {});
}

function pressKey({ key, repeat }) {
  const isRepeated = repeat && key !== "Escape";
  if (isRepeated) return true;
  if (key.toLowerCase() === "l") isOn() ? leave() : enter();
  else if (!isOn()) return false;
  else if (key.toLowerCase() === "s") spotlight.turn(!spotlight.isOn);
  else if (key.toLowerCase() === "t") document.querySelector("[data-theme-switch]").click();
  else return false;
  return true;
}

function start() {
  document.addEventListener("click", ({ target }) => {
    if (target.closest?.("[data-lecture-switch]")) isOn() ? leave() : enter();
    else if (target.closest?.("[data-spotlight]")) spotlight.turn(!spotlight.isOn);
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
    if (pressKey(event)) event.preventDefault();
  });
  // Before the microscope hears of it, which would let go of the cell: a browser's own Escape from full screen keeps that.
  document.addEventListener(
    "keydown",
    (event) => {
      if (event.key !== "Escape" || !isOn() || document.querySelector("dialog[open], #crop-tools:not([hidden])"))
        return;
      event.stopImmediatePropagation();
      event.preventDefault();
      leave();
    },
    { capture: true },
  );
  document.addEventListener("fullscreenchange", () => {
    if (!document.fullscreenElement && isOn()) leave();
  });
  addEventListener("resize", fit);
  try {
    if (sessionStorage.getItem(KEY)) show(true);
  } catch {
    // A browser that keeps nothing.
  }
}

start();
