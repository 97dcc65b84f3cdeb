// Random numbers that a seed makes again, on every browser.

/** Make a source of numbers from 0 to 1 (mulberry32 by Tommy Ettinger, in the public domain). */
function makeUniform(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Make a source of normal numbers: mean 0, standard deviation 1 (Box and Muller, 1958). */
export function makeNormal(seed) {
  const next = makeUniform(seed);
  return () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
}
