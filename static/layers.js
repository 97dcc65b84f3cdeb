// The list of layers: only those on screen are asked for, and each can be folded and paged. The server draws; this says
// what is to be seen.

import { readPlace } from "./maps.js";

const AHEAD = 0.75; // how far beyond the screen layers are fetched while nothing else is going on, in screens
const REST_MS = 150; // how long the drawing must rest before that
const MOST = 48; // layers in one request

/**
 * @param {HTMLFormElement} form sends the drawing and every choice; "seen" makes it ask for what is missing
 * @param {HTMLElement} layers where the list is
 * @param {HTMLElement} contents the table of contents of a large network
 */
export function addLayerList(form, layers, contents) {
  let version = 0; // counts the drawings and choices
  let refused = -1; // the version that the server said no to
  let shown = { version, names: new Set() }; // the layers whose pictures are of this version
  let pages = new Map(); // the first map on a layer's page, where it is not 0
  let folds = new Map(); // what was folded or unfolded by hand
  let model = null;
  let timer = 0;

  const list = () => layers.querySelector("#rows");
  const articles = () => [...layers.querySelectorAll("article[data-layer]")];
  const isFolded = (article) => article.classList.contains("is-folded");
  const isPending = (article) => "pending" in article.dataset;

  /** Unfolded layers on screen, or so many screens above and below it. */
  function near(screens) {
    const margin = screens * innerHeight;
    return articles().filter((article) => {
      if (isFolded(article)) return false;
      const { top, bottom } = article.getBoundingClientRect();
      return bottom > -margin && top < innerHeight + margin;
    });
  }

  const missing = () => near(AHEAD).filter((article) => !shown.names.has(article.dataset.layer));

  /** What a request that leaves now must bring: all on screen for another drawing, else what is missing. */
  function wanted() {
    if (shown.version === version) return missing();
    const opened = layers.querySelector(".microscope")?.closest("article");
    return [...new Set([...near(0), ...(opened && !isFolded(opened) ? [opened] : [])])];
  }

  // While an answer is under way nothing is asked for: when it is on the page, what it did not bring is.
  function ask() {
    clearTimeout(timer);
    if (form.classList.contains("htmx-request")) return;
    if (shown.version === version && version !== refused && missing().length) form.dispatchEvent(new CustomEvent("seen"));
  }

  function askSoon() {
    clearTimeout(timer);
    timer = setTimeout(ask, REST_MS);
  }

  // In the capturing phase, so that it is counted before htmx makes a request of it.
  const count = (event) => contents.contains(event.target) || version++;
  for (const name of ["drawing", "change"]) form.addEventListener(name, count, { capture: true });

  // What is asked for is said when a request leaves, not when it is queued: the list may be another one by then.
  form.addEventListener("htmx:before:request", (event) => {
    if (event.target !== form) return;
    const { ctx } = event.detail;
    const asked = new Map(wanted().slice(0, MOST).map(({ dataset: { layer } }) => [layer, pages.get(layer) ?? 0]));
    if (shown.version === version && !asked.size) return event.preventDefault();
    Object.assign(ctx, { version, asked, listed: list().dataset.listed });
    ctx.request.body.set("listed", ctx.listed);
    ctx.request.body.set("shown", JSON.stringify(Object.fromEntries(asked)));
  });

  form.addEventListener("htmx:after:swap", (event) => {
    const { ctx } = event.detail;
    if (event.target !== form || ctx.asked === undefined) return;
    if (ctx.response.status >= 400) refused = ctx.version;
    else settle(ctx);
  });

  /** The answer is on the page: know what is of the newest drawing, and hide what is of an older one. */
  function settle({ version: answered, asked, listed }) {
    const isAnotherList = list().dataset.listed !== listed;
    const before = !isAnotherList && shown.version === answered ? shown.names : [];
    if (isAnotherList) meet();
    const complete = () => articles().filter((each) => !isPending(each)).map((each) => each.dataset.layer);
    const drawn = isAnotherList ? complete() : asked.keys();
    shown = { version: answered, names: new Set([...before, ...drawn]) };
    for (const article of articles()) if (asked.has(article.dataset.layer)) delete article.dataset.pending;
    // A page that was turned while the answer was under way is still to come.
    for (const [name, first] of asked) if (first !== (pages.get(name) ?? first)) shown.names.delete(name);
    for (const article of articles()) article.classList.toggle("is-outdated", !shown.names.has(article.dataset.layer));
    askSoon();
  }

  /** A list that the server has just sent: as it was left, or afresh for another network. */
  function meet() {
    if (model !== list().dataset.model) [model, pages, folds] = [list().dataset.model, new Map(), new Map()];
    for (const article of articles()) {
      if (folds.has(article.dataset.layer)) fold(article, folds.get(article.dataset.layer));
      const maps = article.querySelector(".maps[data-place]");
      const first = maps ? readPlace(maps).first : 0;
      if (first && !pages.has(article.dataset.layer)) pages.set(article.dataset.layer, first);
    }
    observer.disconnect();
    for (const article of articles()) observer.observe(article);
  }

  const observer = new IntersectionObserver(() => requestAnimationFrame(ask), { rootMargin: `${100 * AHEAD}% 0px` });

  // Folding

  function fold(article, isFolded) {
    article.classList.toggle("is-folded", isFolded);
    article.querySelector(".fold").setAttribute("aria-expanded", String(!isFolded));
  }

  function foldByHand(article, isFolded) {
    folds.set(article.dataset.layer, isFolded);
    fold(article, isFolded);
  }

  layers.addEventListener("click", (event) => {
    const article = event.target.closest("article[data-layer]");
    const page = event.target.closest("[data-page]");
    if (event.target.closest(".fold")) foldByHand(article, !isFolded(article));
    else if (page) turn(article, Number(page.dataset.page));
    else return;
    ask();
  });

  // Paging

  function turn(article, first) {
    pages.set(article.dataset.layer, first);
    shown.names.delete(article.dataset.layer);
  }

  // The table of contents

  contents.addEventListener("change", (event) => {
    event.stopPropagation(); // it is no choice of the form around it
    const article = document.getElementById(event.target.value);
    event.target.value = "";
    if (!article) return;
    foldByHand(article, false);
    article.scrollIntoView({ block: "start" });
    article.querySelector(".fold").focus({ preventScroll: true });
    ask();
  });

  contents.addEventListener("click", (event) => {
    const all = event.target.closest("[data-fold-all]")?.dataset.foldAll;
    if (!all) return;
    for (const article of articles()) foldByHand(article, all === "true");
    ask();
  });

  meet();
}
