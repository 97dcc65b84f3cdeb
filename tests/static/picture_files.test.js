import assert from "node:assert/strict";
import { test } from "node:test";

import { describeChange, fitInto, isReadByServer, isShownByServer } from "../../static/picture_files.js";

const bytes = (text) => Uint8Array.from(text.padEnd(32, "\0"), (character) => character.charCodeAt(0));
const PNG = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x09\0\0\0\x09";

test("what the server reads is known by its first bytes", () => {
  const read = [PNG, "\xff\xd8\xff\xe0", "GIF89a", "BM", "II*\0", "MM\0*", "RIFF\x01\x02\x03\x04WEBP", "P5 9 9"];
  for (const head of [...read, "\0\0\0\x20ftypavif"]) assert.ok(isReadByServer(bytes(head)), head);
  for (const head of ["\0\0\0\x20ftypheic", "<svg", "%PDF-", "RIFF\x01\x02\x03\x04AVI ", "", "8BPS"])
    assert.ok(!isReadByServer(bytes(head)), head);
});

test("the server shows what a browser cannot, and what it shows in black", () => {
  for (const head of ["II*\0", "MM\0*", "P5 9 9", `${PNG}\x10`]) assert.ok(isShownByServer(bytes(head)), head);
  for (const head of [`${PNG}\x08`, "\xff\xd8\xff\xe0", "GIF89a"]) assert.ok(!isShownByServer(bytes(head)), head);
});

test("a picture is made smaller in its shape, and never larger", () => {
  assert.deepEqual(fitInto({ width: 8160, height: 6120 }, 2048), { width: 2048, height: 1536 });
  assert.deepEqual(fitInto({ width: 5, height: 90_000 }, 2048), { width: 1, height: 2048 });
  assert.deepEqual(fitInto({ width: 300, height: 200 }, 2048), { width: 300, height: 200 });
});

test("one sentence says what was done", () => {
  const before = { width: 8160, height: 6120 };
  const after = { width: 2048, height: 1536 };
  assert.equal(
    describeChange(before, after, false),
    "Reduced here from 8,160×6,120 to 2,048×1,536 pixels; your file stays as it is.",
  );
  assert.match(describeChange(after, after, true), /^Turned here into 2,048×1,536 pixels that can be read;/);
  assert.match(describeChange(after, after, false), /^Saved again here with fewer bytes;/);
});
