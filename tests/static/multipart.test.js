import assert from "node:assert/strict";
import { test } from "node:test";

import { withPicture } from "../../static/multipart.js";

const PNG = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 255);

test("a form with a picture is read back as it was", async () => {
  const fields = new FormData();
  fields.set("model", "a “model” & more");
  fields.set("shown", '{"conv_1": 0}');
  const request = withPicture({ method: "POST", headers: { "HX-Request": "true" }, body: fields }, "drawing", PNG);
  const read = await new Request("http://localhost/", request).formData();
  assert.deepEqual([...read.keys()], ["model", "shown", "drawing"]);
  assert.equal(read.get("model"), "a “model” & more");
  assert.equal(read.get("shown"), '{"conv_1": 0}');
  const picture = read.get("drawing");
  assert.deepEqual([picture.name, picture.type], ["drawing.png", "image/png"]);
  assert.deepEqual(new Uint8Array(await picture.arrayBuffer()), PNG);
});

test("the request keeps its method and its headers", () => {
  const request = withPicture(
    { method: "POST", headers: { "HX-Request": "true" }, body: new FormData() },
    "drawing",
    PNG,
  );
  assert.equal(request.method, "POST");
  assert.equal(request.headers["HX-Request"], "true");
});
