// What a person has done of the lessons: kept in this browser alone.

const KEY = "layerglass-lessons";

/**
 * @typedef {{at?: number, right?: number[], predicted?: Record<string, number>, done?: boolean}} Progress at is the step
 *   seen last; right are the steps whose question was answered; predicted has the choice of each prediction, by step
 */

/** @returns {Record<string, Progress>} by lesson */
export function readProgress() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY));
    return kept && typeof kept === "object" && !Array.isArray(kept) ? kept : {};
  } catch {
    return {}; // a browser that keeps nothing, or something else under this name
  }
}

/** @returns {Progress} */
export const progressOf = (lesson) => readProgress()[lesson] ?? {};

/**
 * Change what is kept of a lesson.
 * @param {(progress: Progress) => Progress} change
 */
export function updateProgress(lesson, change) {
  keep({ ...readProgress(), [lesson]: change(progressOf(lesson)) });
}

export function forgetProgress() {
  keep({});
}

function keep(all) {
  try {
    localStorage.setItem(KEY, JSON.stringify(all));
  } catch {
    // It holds until the page is left.
  }
}

/** Say how far a lesson is; "" where it was not begun. */
export function describeProgress({ at, right = [], done }, questions) {
  if (!at) return "";
  const answered = Math.min(right.length, questions);
  const said = questions ? `${answered} of ${questions} question${questions === 1 ? "" : "s"} answered` : "";
  if (done && answered === questions) return "done";
  return [done ? "read to the end" : `at step ${at}`, said].filter(Boolean).join(", ");
}
