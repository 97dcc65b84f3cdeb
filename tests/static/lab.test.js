// The chain as the address has it, a typed matrix, and the address itself.

import assert from "node:assert/strict";
import test from "node:test";

globalThis.document = { getElementById: () => null };
const { Chain, DEFAULT, readStep, writeMatrix, writeStep } = await import("../../static/lab_chain.js");
const { writeQuery } = await import("../../static/lab_address.js");

test("a chain is written as it was read", () => {
  for (const text of ["", DEFAULT, "max:window=3:stride=2,convolution:kernel=1_2;3_-4:padding=reflect"]) {
    assert.equal(new Chain(text).text, text);
  }
  assert.deepEqual(readStep("max:window=3"), { operation: "max", settings: { window: "3" } });
  assert.equal(writeStep({ operation: "swap", settings: {} }), "swap");
});

test("steps are added, moved and removed", () => {
  const chain = new Chain("max,average,min");
  chain.add("swap");
  chain.move(3, 0);
  assert.equal(chain.text, "swap,max,average,min");
  chain.move(0, 2);
  chain.remove(0);
  assert.equal(chain.text, "average,swap,min");
  chain.reset();
  assert.equal(chain.text, DEFAULT);
});

test("settings change, and null is the default", () => {
  const chain = new Chain("max:window=3");
  chain.set(0, "stride", "1");
  assert.equal(chain.text, "max:window=3:stride=1");
  chain.set(0, "stride", null);
  assert.equal(chain.text, "max:window=3");
});

test("another operation keeps the settings that both have", () => {
  const chain = new Chain("lp:window=3:stride=2:p=5,convolution:kernel=blur");
  chain.replace(0, "max", () => ["window", "stride", "padding"]);
  chain.replace(1, "strided", () => ["kernel", "stride"]);
  assert.equal(chain.text, "max:window=3:stride=2,strided:kernel=blur");
});

test("at most twelve steps", () => {
  const chain = new Chain(Array(11).fill("max").join(","));
  assert.equal(chain.isFull, false);
  chain.add("max");
  assert.equal(chain.isFull, true);
});

test("a matrix is read however its numbers are set apart", () => {
  assert.equal(writeMatrix("1 2 1\n2 4 2\n1 2 1"), "1_2_1;2_4_2;1_2_1");
  assert.equal(writeMatrix("  0.5,\t-1e-2 ;3\n1 2 3 \n"), "0.5_-0.01_3;1_2_3");
  assert.equal(writeMatrix("\u22121 2"), "-1_2");
  assert.equal(writeMatrix("7"), "7");
});

test("what is no matrix of numbers is none", () => {
  const wide = Array(10).fill("1").join(" ");
  const long = Array(10).fill("1").join("\n");
  for (const text of ["", "a b", "1 2\n3", "1 2 NaN", "Infinity", "1001", "1 2,,", "1\n\n2", wide, long]) {
    assert.equal(writeMatrix(text), null, JSON.stringify(text));
  }
});

test("an address stays readable, and keeps what is not the lab's", () => {
  const chain = "max:window=3,convolution:kernel=1_2;3_4";
  const written = writeQuery("?model=digits&chain=min&step=2", { picture: "raccoon", chain, step: null });
  assert.equal(written, `?picture=raccoon&chain=${chain.replaceAll("=", "%3D")}&model=digits`.replaceAll("%3D", "="));
  assert.equal(new URLSearchParams(written).get("chain"), chain);
  assert.equal(writeQuery("", { chain: "" }), "?chain=");
  assert.equal(new URLSearchParams(writeQuery("", { picture: "a&b=c#d%" })).get("picture"), "a&b=c#d%");
});
