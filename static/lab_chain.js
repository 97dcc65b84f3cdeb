// The chain as the address has it: steps with commas between them, each an operation and its settings.

export const DEFAULT = "max,convolution,activation,max";
export const MOST_STEPS = 12;
const SHARED = ["window", "stride", "padding", "kernel", "size", "seed", "dilation"]; // settings that go to another operation

export class Chain {
  /** @param {string} text as in the address */
  constructor(text) {
    this.accept(text);
  }

  get text() {
    return this.steps.map(writeStep).join(",");
  }

  /** Take the chain as the server writes it. */
  accept(text) {
    this.steps = text.split(",").filter(Boolean).map(readStep);
  }

  reset() {
    this.accept(DEFAULT);
  }

  get isFull() {
    return this.steps.length >= MOST_STEPS;
  }

  add(operation) {
    this.steps.push({ operation, settings: {} });
  }

  remove(index) {
    this.steps.splice(index, 1);
  }

  /** Move a step to another place; the others close up. */
  move(from, to) {
    const [step] = this.steps.splice(from, 1);
    this.steps.splice(to, 0, step);
  }

  /** Give a step another operation, which keeps the settings that both have. */
  replace(index, operation, kept) {
    const { settings } = this.steps[index];
    const shared = Object.entries(settings).filter(([name]) => SHARED.includes(name) && kept(operation).includes(name));
    this.steps[index] = { operation, settings: Object.fromEntries(shared) };
  }

  /** Change a setting; null is its default. */
  set(index, name, value) {
    const { settings } = this.steps[index];
    if (value === null) delete settings[name];
    else settings[name] = value;
  }
}

/** One step of an address: max:window=3. */
export function readStep(text) {
  const [operation, ...settings] = text.split(":");
  return { operation, settings: Object.fromEntries(settings.map((each) => each.split("="))) };
}

export function writeStep({ operation, settings }) {
  return [operation, ...Object.entries(settings).map(([name, value]) => `${name}=${value}`)].join(":");
}

/**
 * The rows of a typed matrix as the address has them, or null if they are no matrix of numbers.
 * @param {string} text a line a row, numbers with spaces, commas or semicolons between them
 */
export function writeMatrix(text) {
  const rows = text
    .trim()
    .replaceAll("\u2212", "-")
    .split("\n")
    .map((row) => row.trim().split(/[\s,;]+/));
  const width = rows[0].length;
  const isMatrix = rows.every(
    (row) => row.length === width && row.every((each) => each !== "" && isWeight(Number(each))),
  );
  if (!isMatrix || rows.length > 9 || width > 9) return null;
  return rows.map((row) => row.map((each) => String(Number(each))).join("_")).join(";");
}

const isWeight = (value) => Number.isFinite(value) && Math.abs(value) <= 1000;
