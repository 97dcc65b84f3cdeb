// Server-sent events that answer a POST, which EventSource cannot send.

/**
 * Yield each event of an answer as it arrives.
 * @param {Response} response
 */
export async function* readEvents(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text += value;
    const events = text.split("\n\n");
    text = events.pop();
    yield* events.map(parse);
  }
}

function parse(event) {
  const fields = event.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]);
  const all = (name) => fields.filter(([field]) => field === name).map(([, value]) => value);
  return { name: all("event")[0] ?? "message", data: all("data").join("\n") };
}
