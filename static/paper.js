// The page on paper: a handout, or a worksheet with the results left blank. Layers are drawn as they scroll into view, so all
// of them are fetched first. The browser's own Print cannot wait for that, and says which are missing.

import { element } from "./dom.js";

const MOST_TERMS = 128; // input maps of a cell that are printed; of more, the largest and the sum of the others
const root = document.documentElement;

export class Paper {
  /**
   * @param {HTMLFormElement} form
   * @param {HTMLElement} layers where the list is; it tells when layers have arrived
   * @param {import("./layers.js").LayerList} list
   */
  constructor(form, layers, list) {
    this.form = form;
    this.list = list;
    this.status = element("print-status");
    this.words = this.status.textContent;
    this.isFetching = false;
    this.showedAll = false; // whether the microscope showed every term before

    const stop = form.querySelector("[data-print-stop]");
    form.addEventListener("click", ({ target }) => {
      const button = target.closest("[data-print]");
      if (button) this.begin(button.dataset.print);
      else if (target.closest("[data-print-stop]")) this.end(this.words);
      stop.hidden = !this.isFetching;
    });
    layers.addEventListener("settled", () => {
      if (this.isFetching) this.proceed();
      stop.hidden = !this.isFetching;
    });
    form.addEventListener("htmx:after:request", ({ detail }) => {
      const { status } = detail.ctx.response;
      if (this.isFetching && status >= 400 && status < 500 && status !== 429)
        this.end("The layers could not be fetched.");
      stop.hidden = !this.isFetching;
    });
    addEventListener("beforeprint", () => this.write());
    addEventListener("afterprint", () => this.end(this.words));
  }

  get isOn() {
    return root.dataset.paper !== undefined;
  }

  /** Fetch everything as it belongs on paper, and print it then. */
  begin(kind) {
    if (!this.isOn) this.showedAll = !this.form.elements.everything.disabled;
    root.dataset.paper = kind;
    this.isFetching = true;
    const terms = Number(document.querySelector("#microscope [data-terms]")?.dataset.terms ?? 0);
    if (terms && terms <= MOST_TERMS) this.askForEverything(true);
    this.status.textContent = "Fetching every layer…";
    this.list.fetchWhole(true);
    document.dispatchEvent(new CustomEvent("layout"));
  }

  askForEverything(asks) {
    const { everything } = this.form.elements;
    everything.disabled = !asks;
    everything.value = asks ? "true" : "";
  }

  /** Print once all is here. */
  async proceed() {
    const [here, wanted] = this.list.progress;
    this.status.textContent = `${here} of ${wanted} layers are here…`;
    if (here < wanted) return;
    this.isFetching = false;
    await Promise.all([...document.images].map((image) => image.decode().catch(() => {})));
    if (!this.isOn) return;
    this.write();
    print();
  }

  /** Let the page be one for the screen again. */
  end(words) {
    if (!this.isOn) return;
    delete root.dataset.paper;
    this.isFetching = false;
    this.status.textContent = words;
    this.askForEverything(this.showedAll);
    this.list.fetchWhole(false);
    document.dispatchEvent(new CustomEvent("layout"));
  }

  /** Write what only paper has: a title, what is left out, and the address. */
  write() {
    const network = this.form.elements.model.value;
    const pooling = this.form.querySelector("[name=pooling]:checked")?.value;
    const weights = this.form.querySelector("[name=weights]:checked")?.value;
    const retrained = weights === "retrained" ? ", retrained for it" : "";
    element("paper-title").textContent = `Layerglass: ${network}${pooling ? `, ${pooling} pooling` : ""}${retrained}`;
    element("paper-left-out").textContent = describeLeftOut(this.list.articles);
    Object.assign(element("paper-address"), { href: location.href, textContent: location.href });
  }
}

/** Say which of the layers are not on the paper. */
function describeLeftOut(articles) {
  const isFolded = (article) => article.classList.contains("is-folded");
  const folded = articles.filter(isFolded).length;
  const missing = articles.filter((article) => !isFolded(article) && article.matches("[data-pending], .is-outdated"));
  const sentences = [];
  if (folded) {
    sentences.push(`Of ${articles.length} layers, ${folded} are folded on the page, and only named here.`);
  }
  if (missing.length) {
    sentences.push(
      `${missing.length} of the layers were not on the screen yet, and are only named here: “More, Print” fetches them first.`,
    );
  }
  return sentences.join(" ");
}
