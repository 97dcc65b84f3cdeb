import assert from "node:assert/strict";
import { test } from "node:test";

import { fitsAddress } from "../../static/address.js";
import { setEdit, toggleEdit } from "../../static/edits.js";

test("an edit is made, and taken back", () => {
  const made = toggleEdit("pooling:pool_1=min", "mute:conv_1.3");
  assert.equal(made, "pooling:pool_1=min;mute:conv_1.3");
  assert.equal(toggleEdit(made, "mute:conv_1.3"), "pooling:pool_1=min");
  assert.equal(toggleEdit("bias:conv_1.3=0.50", "bias:conv_1.3=0.5"), "");
});

test("a number takes the place of the one that was set before, and of no other", () => {
  const edits = "bias:conv_1.3=1;bias:conv_1.33=2";
  assert.equal(setEdit(edits, "bias:conv_1.3", "-4"), "bias:conv_1.33=2;bias:conv_1.3=-4");
  assert.equal(setEdit("pooling:pool_1=min", "pooling:pool_1", ""), "");
});

test("so many edits do not fit into an address", () => {
  assert.ok(fitsAddress("cell:conv_1.0.1.2=1"));
  assert.ok(!fitsAddress("cell:conv_1.0.1.2=1;".repeat(300)));
});
