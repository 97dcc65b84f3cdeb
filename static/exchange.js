// The exchange with the server: one request at a time, the newest drawing next, and pauses while the server is away.
// htmx sends the form on the event "drawing" and swaps the answers in. A move of the pen is sent and shown here, since
// htmx' events and its search for what to swap would take as long as the server does.

import { element, showMessage } from "./dom.js";
import { answerKind, putInPlace } from "./live.js";
import { withPicture } from "./multipart.js";
import { sendTwice } from "./retry.js";

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 8000;
const GLANCE_MS = 66; // between two answers with numbers and the network at a glance, while the pen moves
const REST_MS = 120; // after which a pen that is down rests, and the whole answer is fetched
const PATIENCE_MS = 60_000; // as htmx has it
const LONGEST = 4000; // characters of fields in an address; a proxy may take no more
const OVERDUE_MS = 200; // after which what is shown is dimmed, since it is of another drawing
// Tells this page from others at its address, so that each has its turn. It means nothing else, and is never kept.
const PAGE = crypto.getRandomValues(new Uint32Array(4)).join("-");
const AWAY = "The server does not answer. Your drawing is safe here, and will be sent when the server is back.";

/**
 * The pause before the next try, in milliseconds: twice as long after each failure, and never less than the server asks
 * for. Chance is part of it, so that clients that were sent away together do not come back together.
 * @param {number} failures so far, in a row
 * @param {number} least in milliseconds
 * @param {number} chance from 0 to 1
 */
export function pauseAfter(failures, least, chance) {
  const pause = Math.min(FIRST_PAUSE_MS * 2 ** failures, LONGEST_PAUSE_MS);
  return Math.max(least, pause) * (1 + chance / 2);
}

export class Exchange {
  /**
   * @param {HTMLFormElement} form holds the choices; htmx sends it
   * @param {HTMLElement[]} results dimmed while they belong to another drawing than the pad's
   * @param {import("./pad.js").Pad} pad
   */
  constructor(form, results, pad) {
    this.form = form;
    this.results = results;
    this.pad = pad;
    this.errors = element("errors");
    this.underWay = null; // the context of the form's request that waits for its answer, htmx' or a move's
    this.isDue = false; // another request follows when that one is answered
    this.pictures = () => ({}); // that other inputs hold, by field; the page sets it
    this.failures = 0; // in a row, since the last answer
    this.pause = 0; // the timer of the next try
    this.overdue = 0; // the timer of the answer that is awaited
    this.isExact = false; // the next answer is to be whole, although the pen is down
    this.resting = 0; // the timer of that
    this.glanced = 0; // when numbers and the network at a glance were last asked for
    this.listen();
  }

  listen() {
    this.form.addEventListener("htmx:before:request", ({ target, detail }) => {
      this.addDrawing(detail.ctx);
      if (!this.failures) this.sendTwice(detail.ctx);
      if (target !== this.form) return;
      this.underWay?.controller?.abort(); // a choice replaces a move
      this.underWay = detail.ctx;
      clearTimeout(this.resting);
      // Other layers of the same drawing leave those that are shown true.
      if (detail.ctx.sourceEvent?.type !== "seen") this.awaitAnswer();
    });
    this.form.addEventListener("htmx:after:request", ({ detail }) => this.receive(detail.ctx));
    this.form.addEventListener("htmx:finally:request", ({ detail }) => this.end(detail.ctx));
    this.form.addEventListener("htmx:error", ({ detail }) => {
      if (!detail.ctx.response) this.tellAway();
    });
    // htmx processes the form in a task of its own, before or after this script runs.
    if (!this.isReady) this.form.addEventListener("htmx:after:init", () => this.send(), { once: true });
  }

  get isReady() {
    return this.form.hasAttribute("data-htmx-powered");
  }

  /**
   * Ask for the results of the drawing as it is now. Nothing is sent during a pause; its end sends the newest drawing.
   * Nor while a request is under way: htmx would abort it at every move of the pen, and no answer would ever be shown.
   */
  send() {
    this.isDue = this.underWay !== null;
    this.awaitAnswer();
    if (!this.isReady || this.pause || this.underWay) return;
    const isMove = this.canMove && !this.isExact;
    this.isExact = false;
    if (isMove) this.move();
    else this.form.dispatchEvent(new CustomEvent("drawing"));
  }

  /** Whether what the pen changes can be put in place: not in the microscope, nor of a picture that was opened. */
  get canMove() {
    const { form, pad } = this;
    if (!form.dataset.pathOfMoves || !pad.current || pad.file || !form.elements.layer.disabled) return false;
    return !Object.keys(this.pictures()).length;
  }

  awaitAnswer() {
    this.overdue ||= setTimeout(() => this.showStale(true), OVERDUE_MS);
  }

  /** Dim what is shown, because it is not of the drawing on the pad, or show it in full. */
  showStale(isStale) {
    clearTimeout(this.overdue);
    this.overdue = 0;
    for (const each of this.results) each.classList.toggle("is-stale", isStale);
  }

  /** Add the drawing when a request leaves, not when it is queued, so that only the newest is encoded. */
  addDrawing(ctx) {
    const { file } = this.pad;
    ctx.request.headers["X-Layerglass-Page"] = PAGE;
    if (this.isLean()) ctx.request.body.set("lean", "true");
    const held = Object.entries(this.pictures());
    for (const [name, picture] of held) ctx.request.body.set(name, picture, `${name}.png`);
    if (file) ctx.request.body.set("drawing", file, file.name ?? "picture");
    else if (held.length) ctx.request.body.set("drawing", new Blob([this.pad.toPng()]), "drawing.png");
    else ctx.fetch = (path, request) => fetch(path, withPicture(request, "drawing", this.pad.toPng()));
  }

  /** Send a request that is lost once more before anything is said of it, and then the newest move of the pen. */
  sendTwice(ctx) {
    const send = ctx.fetch;
    ctx.fetch = (path, request) => sendTwice(() => send(path, request));
  }

  /** Whether numbers and the network at a glance may be left out of an answer that is asked for now. */
  isLean() {
    if (this.pad.current && performance.now() - this.glanced < GLANCE_MS) return true;
    this.glanced = performance.now();
    return false;
  }

  /** Send a move of the pen, and show its answer. */
  async move() {
    const controller = new AbortController();
    const ctx = { controller, request: { body: new FormData(this.form) } };
    const fields = ctx.request.body;
    fields.set("live", answerKind());
    if (this.isLean()) fields.set("lean", "true");
    this.underWay = ctx;
    clearTimeout(this.resting);
    this.form.dispatchEvent(new CustomEvent("move", { detail: { ctx } }));
    const patience = setTimeout(() => controller.abort(), PATIENCE_MS);
    try {
      const send = () => this.fetchMove(fields, controller.signal);
      const response = await (this.failures ? send() : sendTwice(send));
      const text = await response.text();
      if (ctx !== this.underWay) return; // a choice has replaced it
      Object.assign(ctx, { response, text });
      this.receive(ctx);
      await this.show(ctx);
    } catch (error) {
      if (ctx.response) throw error;
      if (ctx === this.underWay) this.tellAway();
    } finally {
      clearTimeout(patience);
      this.end(ctx);
    }
  }

  /** Send the fields in the address and the drawing as the body: half of what a form takes to write and to read. */
  fetchMove(fields, signal) {
    const query = new URLSearchParams(fields).toString();
    const png = this.pad.toPng();
    const request = { method: "POST", headers: { "X-Layerglass-Page": PAGE }, signal };
    if (query.length > LONGEST) {
      return fetch(this.form.getAttribute("hx-post"), withPicture({ ...request, body: fields }, "drawing", png));
    }
    request.headers["Content-Type"] = "image/png";
    return fetch(`${this.form.dataset.pathOfMoves}?${query}`, { ...request, body: png });
  }

  receive(ctx) {
    const { status, headers } = ctx.response;
    this.endPause();
    // Why a picture was refused stays, until something else is on the pad.
    if (status < 400 && !this.errors.dataset.about) this.errors.replaceChildren();
    const isBusy = status >= 500 || status === 429;
    // What is shown belongs to a drawing before the server failed.
    this.showStale(isBusy);
    if (isBusy) this.tryAgain(1000 * (Number(headers.get("Retry-After")) || 0));
    else this.failures = 0;
    // The next request leaves before this answer is swapped in, so that the server computes meanwhile. Not so for a new
    // list of layers: each request says which list the page has.
    if (!ctx.text.includes(" data-listed=")) this.end(ctx);
  }

  /** Show the answer to a move of the pen: what it has changed, and the whole answer when the pen rests. */
  async show(ctx) {
    const isRefused = ctx.response.status >= 400;
    if (isRefused) return this.swap(this.errors, "innerHTML", ctx);
    if (!ctx.response.headers.get("Content-Type").startsWith("application/json")) {
      return this.swap(this.results[0], "innerMorph", ctx);
    }
    const showAnswer = (text) => this.swap(element("answer"), "innerMorph", { text });
    if (!putInPlace(JSON.parse(ctx.text), showAnswer)) return this.complete();
    this.form.dispatchEvent(new CustomEvent("live", { detail: { ctx } }));
    // While the next move is under way, the pen does not rest.
    if (!this.underWay) this.resting = setTimeout(() => this.complete(), REST_MS);
  }

  /** Let htmx put HTML on the page, which it does at once, and tell everyone else of it. */
  swap(target, swap, ctx) {
    return htmx.swap(Object.assign(ctx, { sourceElement: this.form, target, swap, hx: {} }));
  }

  complete() {
    this.isExact = true;
    this.send();
  }

  end(ctx) {
    if (ctx !== this.underWay) return; // another form's, or replaced by the next one
    this.underWay = null;
    if (this.isDue) this.send();
  }

  tellAway() {
    showMessage(this.errors, AWAY);
    this.showStale(true);
    this.tryAgain();
  }

  tryAgain(least = 0) {
    this.endPause();
    this.pause = setTimeout(
      () => {
        this.endPause();
        this.send();
      },
      pauseAfter(this.failures++, least, Math.random()),
    );
  }

  endPause() {
    clearTimeout(this.pause);
    this.pause = 0;
  }
}
