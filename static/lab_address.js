// The lab's state in the address bar: picture, chain and cell in its query, a drawing in its fragment. What other pages keep
// there stays as it is.

import { updateLinks } from "./address.js";
import { element } from "./dom.js";
import { DEFAULT } from "./lab_chain.js";

const OWN = { isLab: true };
const CELL = ["step", "row", "column", "channel"];
const CONFIRMED_MS = 4000;

/**
 * A query with the lab's choices in place of those that it had. Text stays readable: what an address may hold as it is, it
 * does.
 * @param {string} search the query so far
 * @param {Record<string, ?string>} choices null leaves one out
 */
export function writeQuery(search, choices) {
  const others = [...new URLSearchParams(search)].filter(([name]) => !(name in choices));
  const own = Object.entries(choices).filter(([, value]) => value !== null);
  const write = (text) => encodeURIComponent(text).replace(/%(?:2C|3A|3B|3D)/g, decodeURIComponent);
  const query = [...own, ...others].map(([name, value]) => `${write(name)}=${write(value)}`);
  return query.length ? `?${query.join("&")}` : "";
}

export class LabAddress {
  /** @param {() => void} restore asks for the state that Back or Forward leads to */
  constructor(form, chain, pictures, restore) {
    this.form = form;
    this.chain = chain;
    this.pictures = pictures;
    this.cell = this.readCell();
    addEventListener("popstate", () => {
      const query = new URLSearchParams(location.search);
      chain.accept(query.get("chain") ?? DEFAULT);
      pictures.choose(query.get("picture") ?? "raccoon", query.get("grey") === "true");
      this.cell = this.readCell();
      restore();
    });
    element("lab-copy").addEventListener("click", ({ target }) => this.copy(target));
  }

  readCell() {
    const query = new URLSearchParams(location.search);
    if (!query.has("step")) return null;
    return Object.fromEntries(CELL.map((name) => [name, Number(query.get(name) ?? 0)]));
  }

  get query() {
    const cell = Object.fromEntries(CELL.map((name) => [name, this.cell ? String(this.cell[name]) : null]));
    const { chosen, isGrey } = this.pictures;
    return writeQuery(location.search, {
      picture: chosen,
      grey: isGrey ? "true" : null,
      chain: this.chain.text,
      ...cell,
    });
  }

  /** Put the state into the address bar. isNew: as a new entry, so that Back leads to the one before. */
  write(isNew) {
    const next = `${location.pathname}${this.query}${location.hash}`;
    if (next !== `${location.pathname}${location.search}${location.hash}`) {
      if (isNew) history.pushState(OWN, "", next);
      else history.replaceState(OWN, "", next);
    }
    updateLinks();
  }

  /** Hold a cell in the address; null lets go of it. */
  hold(cell) {
    this.cell = cell;
    this.write(false);
  }

  async copy(button) {
    this.write(false);
    const isCopied = await navigator.clipboard?.writeText(location.href).then(
      () => true,
      () => false,
    );
    const said = isCopied ? "Copied" : "The address holds it: copy it from there";
    button.textContent = this.pictures.chosen === "own" ? `${said}, without your picture` : said;
    setTimeout(() => {
      button.textContent = button.dataset.label;
    }, CONFIRMED_MS);
  }
}
