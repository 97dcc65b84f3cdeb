// The list of layers. Only those on screen are asked for, and each can be folded and paged. The server draws the
// layers; this decides which ones are wanted.

import { readPlace } from "./maps.js";

const AHEAD = 0.75; // how far beyond the screen layers are fetched while nothing else is going on, in screens
const REST_MS = 150; // how long the drawing must rest before that
const MOST = 48; // layers in one request

const nameOf = (article) => article.dataset.layer;
const isFolded = (article) => article.classList.contains("is-folded");

export class LayerList {
  /**
   * @param {HTMLFormElement} form sends the drawing and every choice; "seen" makes it ask for what is missing
   * @param {HTMLElement} layers where the list is
   * @param {HTMLElement} contents the table of contents of a large network
   */
  constructor(form, layers, contents) {
    this.form = form;
    this.layers = layers;
    this.contents = contents;
    this.version = 0; // counts the drawings and choices
    this.refused = -1; // the version that the server refused
    this.shown = { version: 0, names: new Set() }; // the layers whose pictures are of this version
    this.isWhole = false; // all unfolded layers are fetched, not only those near the screen
    this.model = null;
    this.pages = new Map(); // by layer, the first map on its page, where that is not 0
    this.folds = new Map(); // by layer, whether the user folded or unfolded it
    this.timer = 0;
    this.observer = new IntersectionObserver(() => requestAnimationFrame(() => this.ask()), {
      rootMargin: `${100 * AHEAD}% 0px`,
    });
    this.listenToRequests();
    this.listenToLayers();
    this.listenToContents();
    this.adopt();
  }

  get list() {
    return this.layers.querySelector("#rows");
  }

  get articles() {
    return [...this.layers.querySelectorAll("article[data-layer]")];
  }

  // What to ask for

  listenToRequests() {
    const { form } = this;
    // Counted in the capturing phase, before htmx makes a request of the event.
    const count = (event) => {
      if (!this.contents.contains(event.target)) this.version++;
    };
    for (const name of ["drawing", "move", "change"]) form.addEventListener(name, count, { capture: true });

    form.addEventListener("htmx:before:request", (event) => {
      if (event.target === form && !this.prepare(event.detail.ctx)) event.preventDefault();
    });
    form.addEventListener("move", ({ detail: { ctx } }) => this.prepare(ctx));
    form.addEventListener("live", ({ detail: { ctx } }) => this.settle(ctx));
    form.addEventListener("htmx:after:swap", ({ target, detail: { ctx } }) => {
      if (target !== form || ctx.asked === undefined) return;
      if (ctx.response.status >= 400) this.refused = ctx.version;
      else this.settle(ctx);
    });
  }

  /** Unfolded layers on screen, or so many screens above and below it. */
  near(screens) {
    const margin = screens * innerHeight;
    return this.articles.filter((article) => {
      if (isFolded(article)) return false;
      if (this.isWhole) return true;
      const { top, bottom } = article.getBoundingClientRect();
      return bottom > -margin && top < innerHeight + margin;
    });
  }

  get missing() {
    return this.near(AHEAD).filter((article) => !this.shown.names.has(nameOf(article)));
  }

  get isOfNewest() {
    return this.shown.version === this.version;
  }

  /** What a request that leaves now must bring: for another drawing everything on screen, otherwise what is missing. */
  get wanted() {
    return this.isOfNewest ? this.missing : this.near(0);
  }

  /** Fetch all unfolded layers anew, for paper; or only those near the screen again. */
  fetchWhole(isWhole) {
    this.isWhole = isWhole;
    this.version++; // so that what is shown now, or under way, is not taken for it
  }

  /** How many layers are here, and how many are wanted. */
  get progress() {
    const wanted = this.near(AHEAD);
    const here = this.isOfNewest ? wanted.filter((article) => this.shown.names.has(nameOf(article))) : [];
    return [here.length, wanted.length];
  }

  /** Ask for what is missing. Not while a request is under way: whatever its answer lacks is asked for after that. */
  ask() {
    clearTimeout(this.timer);
    if (this.form.classList.contains("htmx-request")) return;
    if (!this.isOfNewest || this.version === this.refused || !this.missing.length) return;
    this.form.dispatchEvent(new CustomEvent("seen"));
  }

  askSoon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), REST_MS);
  }

  /**
   * Say which layers a request asks for; false if there is nothing to ask for. This is decided when the request leaves,
   * not when it is queued, because the list may be another one by then.
   */
  prepare(ctx) {
    const names = this.wanted.slice(0, MOST).map(nameOf);
    if (this.isOfNewest && !names.length) return false;
    const asked = new Map(names.map((name) => [name, this.pages.get(name) ?? 0]));
    Object.assign(ctx, { version: this.version, asked, listed: this.list.dataset.listed });
    ctx.request.body.set("listed", ctx.listed);
    ctx.request.body.set("shown", JSON.stringify(Object.fromEntries(asked)));
    return true;
  }

  // What is shown

  /** Note which layers are of the newest drawing now that an answer is swapped in, and hide those of an older one. */
  settle({ version, asked, listed }) {
    const isAnotherList = this.list.dataset.listed !== listed;
    if (isAnotherList) this.adopt();
    const { articles } = this;
    const before = !isAnotherList && this.shown.version === version ? this.shown.names : [];
    const complete = articles.filter((article) => !("pending" in article.dataset)).map(nameOf);
    const left = JSON.parse(document.getElementById("left-out")?.dataset.layers ?? "[]");
    const came = new Set([...asked.keys()].filter((name) => !left.includes(name)));
    const names = new Set([...before, ...(isAnotherList ? complete : came)]);
    // A page that was turned while the request was under way is still to come.
    for (const [name, first] of asked) if (first !== (this.pages.get(name) ?? first)) names.delete(name);
    this.shown = { version, names };
    for (const article of articles) {
      if (came.has(nameOf(article))) delete article.dataset.pending;
      article.classList.toggle("is-outdated", !names.has(nameOf(article)));
    }
    this.layers.dispatchEvent(new CustomEvent("settled"));
    this.askSoon();
  }

  /** Take over a list that the server has just sent: as the user left it, or afresh for another network. */
  adopt() {
    const { model } = this.list.dataset;
    if (this.model !== model) {
      this.model = model;
      this.pages = new Map();
      this.folds = new Map();
    }
    this.observer.disconnect();
    for (const article of this.articles) {
      const name = nameOf(article);
      if (this.folds.has(name)) this.fold(article, this.folds.get(name));
      const maps = article.querySelector(".maps[data-place]");
      const first = maps ? readPlace(maps).first : 0;
      if (first && !this.pages.has(name)) this.pages.set(name, first);
      this.observer.observe(article);
    }
  }

  // Folding and paging

  listenToLayers() {
    this.layers.addEventListener("click", ({ target }) => {
      const article = target.closest("article[data-layer]");
      const page = target.closest("[data-page]");
      if (target.closest(".layer-fold")) this.foldByHand(article, !isFolded(article));
      else if (page) this.turn(nameOf(article), Number(page.dataset.page));
      else return;
      this.ask();
    });
  }

  fold(article, folds) {
    article.classList.toggle("is-folded", folds);
    article.querySelector(".layer-fold").setAttribute("aria-expanded", String(!folds));
  }

  foldByHand(article, folds) {
    this.folds.set(nameOf(article), folds);
    this.fold(article, folds);
  }

  turn(name, first) {
    this.pages.set(name, first);
    this.shown.names.delete(name);
  }

  // The table of contents

  listenToContents() {
    this.contents.addEventListener("change", (event) => {
      event.stopPropagation(); // it is not a choice of the form around it
      const article = document.getElementById(event.target.value);
      event.target.value = "";
      if (article) this.show(article);
    });
    this.contents.addEventListener("click", (event) => {
      const all = event.target.closest("[data-fold-all]")?.dataset.foldAll;
      if (!all) return;
      for (const article of this.articles) this.foldByHand(article, all === "true");
      this.ask();
    });
  }

  /** Unfold a layer, and bring it into view. */
  show(article) {
    this.foldByHand(article, false);
    article.scrollIntoView({ block: "start" });
    article.querySelector(".layer-fold").focus({ preventScroll: true });
    this.ask();
  }
}
