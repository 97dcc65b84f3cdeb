import assert from "node:assert/strict";
import { test } from "node:test";

import { boxOf, mapAt, readPlace } from "../../static/maps.js";

// Five maps of 10 by 20 pixels from map 64 on, three in a row, with gaps of 2 pixels.
const PLACE = readPlace({ dataset: { place: "64 5 3 10 20 2" } });

test("the server's text gives the places", () => {
  assert.deepEqual(PLACE, { first: 64, count: 5, columns: 3, width: 10, height: 20, gap: 2 });
});

test("a point lies on the map that is drawn there", () => {
  assert.deepEqual(mapAt(PLACE, 0, 0), { map: 64, x: 0, y: 0, width: 10, height: 20 });
  assert.deepEqual(mapAt(PLACE, 33, 19), { map: 66, x: 24, y: 0, width: 10, height: 20 });
  assert.deepEqual(mapAt(PLACE, 12, 22), { map: 68, x: 12, y: 22, width: 10, height: 20 });
});

test("a point beside the maps lies on none", () => {
  for (const [x, y] of [
    [-1, 5],
    [5, -1],
    [36, 5],
    [30, 30], // the sixth place, where there is no map
    [5, 50],
  ]) {
    assert.equal(mapAt(PLACE, x, y), null, `${x}, ${y}`);
  }
});

test("boxes are in percent of the whole picture", () => {
  // 34 by 42 pixels: three maps and two gaps across, two maps and one gap down
  assert.deepEqual(boxOf(PLACE, 4), {
    left: `${1200 / 34}%`,
    top: `${2200 / 42}%`,
    width: `${1000 / 34}%`,
    height: `${2000 / 42}%`,
  });
});
