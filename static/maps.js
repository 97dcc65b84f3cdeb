// The places of the maps in a grid's picture.

/**
 * @typedef {object} Place
 * @property {number} first the number of the first map
 * @property {number} count of maps
 * @property {number} columns maps in a row
 * @property {number} width of a map, in pixels of the picture
 * @property {number} height of a map
 * @property {number} gap between maps
 */

/**
 * The places of the maps, as the server wrote them.
 * @param {HTMLElement} maps holds the picture
 * @returns {Place}
 */
export function readPlace(maps) {
  const [first, count, columns, width, height, gap] = maps.dataset.place.split(" ").map(Number);
  return { first, count, columns, width, height, gap };
}

/** The name of what a grid shows: of its layer, and of the pooling where several stand side by side. */
export const nameOf = ({ layer, pooling }) => (pooling ? `${layer}, ${pooling}` : layer);

/** The map at a point of the picture, with its own corner, or null. */
export function mapAt({ first, count, columns, width, height, gap }, x, y) {
  const column = Math.floor(x / (width + gap));
  const row = Math.floor(y / (height + gap));
  const index = row * columns + column;
  if (column < 0 || column >= columns || row < 0 || index >= count) return null;
  return { map: first + index, x: column * (width + gap), y: row * (height + gap), width, height };
}

/** The box of the map with this index, in percent of the whole picture, as CSS. */
export function boxOf({ count, columns, width, height, gap }, index) {
  const [across, down] = [width + gap, height + gap];
  const totalWidth = columns * across - gap;
  const totalHeight = Math.ceil(count / columns) * down - gap;
  return {
    left: `${(100 * (index % columns) * across) / totalWidth}%`,
    top: `${(100 * Math.floor(index / columns) * down) / totalHeight}%`,
    width: `${(100 * width) / totalWidth}%`,
    height: `${(100 * height) / totalHeight}%`,
  };
}
