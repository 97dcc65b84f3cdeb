// The page of all lessons: how far each one is.

import { describeProgress, forgetProgress, progressOf, readProgress } from "./lesson_progress.js";

const forget = document.querySelector("[data-forget]");

function show() {
  for (const item of document.querySelectorAll("[data-lesson]")) {
    const progress = progressOf(item.dataset.lesson);
    const said = describeProgress(progress, Number(item.dataset.questions));
    const place = item.querySelector(".lessons-progress");
    place.textContent = `· ${said}`;
    place.hidden = !said;
    item.classList.toggle("is-done", said === "done");
    const steps = item.querySelectorAll(".lessons-steps a");
    item.querySelector(".lessons-steps").hidden = !said;
    for (const [index, link] of steps.entries()) {
      link.classList.toggle("is-done", Boolean(progress.right?.includes(index + 1)));
      link.setAttribute("aria-label", `Step ${index + 1}${link.matches(".is-done") ? ", answered" : ""}`);
    }
  }
  forget.hidden = Object.keys(readProgress()).length === 0;
}

forget.addEventListener("click", () => {
  forgetProgress();
  show();
});
addEventListener("pageshow", show);
show();
