// What a move of the pen changes on the page. The server names places, which templates mark with data-live.

/** What the page's answer is made of; empty where it has sentences of its own. */
export const answerKind = () => document.querySelector("#answer [data-answer]")?.dataset.answer ?? "";

/**
 * Put texts and pictures in their places.
 * @param {{kind: string, places: Object<string, string | Object<string, string>>, answer: string | undefined}} live
 *   with the answer beside the pad as HTML, where it is of another kind than the page's, or has sentences
 * @param {(html: string) => void} showAnswer
 * @returns {boolean} false, and nothing is changed, if the page is not made for this
 */
export function putInPlace({ kind, places, answer }, showAnswer) {
  if (answer === undefined && answerKind() !== kind) return false;
  const marked = [...document.querySelectorAll("[data-live]")].filter(({ dataset }) => dataset.live in places);
  if (new Set(marked.map(({ dataset }) => dataset.live)).size < Object.keys(places).length) return false;
  if (answer !== undefined) showAnswer(answer);
  for (const each of marked) put(each, places[each.dataset.live]);
  return true;
}

function put(place, value) {
  if (typeof value !== "string") {
    const { text, ...attributes } = value;
    for (const [name, each] of Object.entries(attributes)) {
      if (place.getAttribute(name) !== each) place.setAttribute(name, each);
    }
    if (text !== undefined) put(place, text);
  } else if (place instanceof HTMLImageElement) {
    if (place.getAttribute("src") !== value) place.src = value;
  } else if (place.textContent !== value) {
    // A text that is changed in place lets :has() and every other rule of the style sheets alone.
    if (place.firstChild instanceof Text && place.childNodes.length === 1) place.firstChild.data = value;
    else place.textContent = value;
    if (place.matches(".note")) place.hidden = !value;
  }
}
