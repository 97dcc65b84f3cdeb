// A step of a lesson beside the page: its predictions and questions, the way to the next one, and what was done.

import { element, isTyping } from "./dom.js";
import { progressOf, updateProgress } from "./lesson_progress.js";

const FOLDED = "layerglass-lesson-folded";
const ARRIVED = "layerglass-lesson-arrived";
const AWAY = "The server does not answer. Try again in a moment.";
const PHONE = matchMedia("(max-width: 700px)"); // as in lesson.css: there the lesson is a sheet

const panel = element("lesson");
const { lesson } = panel.dataset;
const step = Number(panel.dataset.step);
const foldButton = panel.querySelector("[data-lesson-fold]");

// Folded

function fold(isFolded) {
  panel.classList.toggle("is-folded", isFolded);
  foldButton.setAttribute("aria-expanded", String(!isFolded));
  // The maps have more room, or less.
  document.dispatchEvent(new CustomEvent("layout"));
}

foldButton.addEventListener("click", () => {
  const isFolded = !panel.classList.contains("is-folded");
  fold(isFolded);
  keepForTab(FOLDED, isFolded ? "yes" : "");
});

// On a phone, who touches the page wants to see it.
document.addEventListener("pointerdown", ({ target }) => {
  if (PHONE.matches && !panel.contains(target) && !panel.classList.contains("is-folded")) fold(true);
});

// From step to step

/** Take the drawing along to a step that names none of its own. */
function keepDrawing(link) {
  const url = new URL(link.href);
  if (url.searchParams.has("sample") || url.hash || !location.hash) return;
  url.hash = location.hash;
  link.href = url.href;
}

panel.addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (!link) return;
  if (link.matches("[data-lesson-step]")) keepDrawing(link);
  if (link.matches("[data-lesson-leave]")) {
    // The page as it is now, and not as it was when it was loaded.
    const url = new URL(location.href);
    url.searchParams.delete("lesson");
    link.href = url.href;
  }
  if (link.matches("[data-lesson-end]")) updateProgress(lesson, (kept) => ({ ...kept, done: true }));
  keepForTab(ARRIVED, "yes");
});

document.addEventListener("keydown", (event) => {
  const { key, ctrlKey, altKey, metaKey, repeat } = event;
  if (ctrlKey || altKey || metaKey || repeat || isTyping(event) || document.querySelector("dialog[open]")) return;
  const link = { n: panel.querySelector("[rel=next]"), b: panel.querySelector("[rel=prev]") }[key.toLowerCase()];
  if (!link) return;
  event.preventDefault();
  link.click();
});

/** Keep the lesson in the address where the page has written it anew. */
function keepInAddress() {
  const url = new URL(location.href);
  const place = `${lesson}.${step}`;
  if (url.searchParams.get("lesson") === place) return;
  url.searchParams.set("lesson", place);
  history.replaceState(history.state, "", url);
}
// htmx pushes an address that the server names, some time in the course of a request.
for (const type of ["htmx:after:swap", "htmx:finally:request"]) {
  addEventListener(type, () => setTimeout(keepInAddress));
}

// Predictions

function showPrediction() {
  const chosen = progressOf(lesson).predicted?.[step];
  const choice = panel.querySelector(`[name=prediction][value="${chosen}"]`);
  if (choice) choice.checked = true;
  for (const place of panel.querySelectorAll(".lesson-predicted")) {
    place.hidden = !choice;
    place.textContent = choice ? `You predicted: ${choice.labels[0].textContent.trim()}` : "";
  }
}

panel.addEventListener("change", ({ target }) => {
  if (target.name !== "prediction") return;
  updateProgress(lesson, (kept) => ({ ...kept, predicted: { ...kept.predicted, [step]: Number(target.value) } }));
  showPrediction();
});

// The question

const form = panel.querySelector("[data-check]");

async function check(fields) {
  const verdict = form.querySelector(".lesson-verdict");
  try {
    const response = await fetch(form.dataset.check, { method: "POST", body: new URLSearchParams(fields) });
    // The server's own fragment, in which everything of the lesson is escaped; that of an error is a sentence.
    verdict.innerHTML = await response.text();
  } catch {
    verdict.textContent = AWAY;
    return;
  }
  const isRight = verdict.querySelector("[data-right]") !== null;
  const explanation = verdict.querySelector(".is-explain");
  if (explanation) {
    for (const told of panel.querySelectorAll(".lesson-body > .is-explain")) told.remove();
    form.after(explanation);
  }
  form.querySelector("[data-reveal]").hidden = isRight || "reveal" in fields;
  if (isRight) {
    updateProgress(lesson, (kept) => ({ ...kept, right: [...new Set([...(kept.right ?? []), step])] }));
    showDots();
  }
  showPrediction();
  (explanation ?? verdict).scrollIntoView({ block: "nearest" });
}

form?.addEventListener("submit", (event) => {
  event.preventDefault();
  check({ answer: new FormData(form).get("answer") ?? "" });
});
form?.querySelector("[data-reveal]").addEventListener("click", () => check({ reveal: "true" }));

function showDots() {
  const { right = [] } = progressOf(lesson);
  for (const dot of panel.querySelectorAll(".lesson-dots a")) {
    dot.classList.toggle("is-done", right.includes(Number(dot.dataset.lessonStep)));
  }
}

// What this tab keeps

function keepForTab(key, value) {
  try {
    sessionStorage.setItem(key, value);
  } catch {
    // It holds until the page is left.
  }
}

function takeFromTab(key) {
  try {
    return sessionStorage.getItem(key);
  } catch {
    return null;
  }
}

// A step on a phone begins with its words, and a wide screen keeps what was folded.
if (takeFromTab(FOLDED) && !PHONE.matches) fold(true);
if (takeFromTab(ARRIVED)) {
  keepForTab(ARRIVED, "");
  element("lesson-title").focus({ preventScroll: true });
}
updateProgress(lesson, (kept) => ({ ...kept, at: step }));
showPrediction();
showDots();
