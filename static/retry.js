// A request that was lost on its way, as when a server's process or a machine ends, is sent once more.

const QUIET_MS = 250; // until a proxy knows who is gone

/**
 * Whether an answer is a proxy's word for a server that is gone. A full server says when to come back; that is an
 * answer. HAProxy under Ray Serve says 500 where others say 502, 503 or 504, in plain text, which the app never does.
 * @param {Response} answer
 */
export function isLost({ status, headers }) {
  if (headers.has("Retry-After")) return false;
  return (
    [502, 503, 504].includes(status) || (status === 500 && !!headers.get("Content-Type")?.startsWith("text/plain"))
  );
}

/**
 * Send a request, and once more after a moment if it was lost, before anything is said of it.
 * @param {() => Promise<Response>} send sends the request; it may be called twice, so what it sends must change nothing
 * @param {number} pause in milliseconds
 */
export async function sendTwice(send, pause = QUIET_MS) {
  try {
    const answer = await send();
    if (!isLost(answer)) return answer;
  } catch (error) {
    if (error.name === "AbortError") throw error; // the page itself has given it up
  }
  await new Promise((resume) => setTimeout(resume, pause));
  return send();
}
