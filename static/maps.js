// The maps in a grid's picture.

/**
 * Where a grid's picture has its maps: the first one's number, how many there are, how many in a row, and in pixels of the
 * picture the width and height of each and the gap between them.
 * @param {HTMLElement} maps what holds the picture
 */
export function readPlace(maps) {
  const [first, count, columns, width, height, gap] = maps.dataset.place.split(" ").map(Number);
  return { first, count, columns, width, height, gap };
}
