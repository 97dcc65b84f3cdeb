import assert from "node:assert/strict";
import { test } from "node:test";

import { isLost, sendTwice } from "../../static/retry.js";

const answer = (status, headers = {}) => new Response("", { status, headers });
const gone = new TypeError("Failed to fetch");

/** Send with these outcomes in turn. Returns: the answer or the error, and how often it was sent. */
async function send(...outcomes) {
  let sent = 0;
  const result = await sendTwice(async () => {
    const outcome = outcomes[sent++];
    if (!(outcome instanceof Response)) throw outcome;
    return outcome;
  }, 0).catch((error) => error);
  return [result instanceof Response ? result.status : result, sent];
}

test("a lost request is sent once more", async () => {
  assert.deepEqual(await send(answer(502), answer(200)), [200, 2]);
  assert.deepEqual(await send(gone, answer(200)), [200, 2]);
});

test("one that is lost twice is not sent a third time", async () => {
  assert.deepEqual(await send(answer(502), answer(504)), [504, 2]);
  assert.deepEqual(await send(gone, gone), [gone, 2]);
});

test("an answer is taken as it is", async () => {
  for (const status of [200, 404, 422, 429]) assert.deepEqual(await send(answer(status)), [status, 1]);
});

test("a request that the page gave up is not sent again", async () => {
  const aborted = new DOMException("", "AbortError");
  assert.deepEqual(await send(aborted), [aborted, 1]);
});

test("a full server's refusal is an answer, a proxy's error is not", () => {
  assert.ok(!isLost(answer(503, { "Retry-After": "2" })));
  assert.ok(isLost(answer(503)));
  assert.ok(isLost(answer(500, { "Content-Type": "text/plain" })));
  assert.ok(!isLost(answer(500, { "Content-Type": "text/html; charset=utf-8" })));
});
