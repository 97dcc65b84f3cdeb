// Runs the experiment that the page's form asks for, shows how far it is, and lets go of it when it is cancelled.

import { element, showMessage } from "./dom.js";
import { readEvents } from "./event_stream.js";

const form = element("experiment");
const bar = element("experiment-bar");
const errors = element("experiment-errors");
const progress = element("experiment-progress");
const result = element("experiment-result");
let leaving = null;

element("experiment-cancel").addEventListener("click", () => leaving?.abort());

document.addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-copy]");
  if (!button) return;
  const code = element(button.dataset.copy);
  // Over plain HTTP a browser lets no page write to the clipboard: then the text is selected, to be copied by hand.
  const isCopied = await navigator.clipboard?.writeText(code.textContent).then(
    () => true,
    () => false,
  );
  if (isCopied) button.textContent = "Copied";
  else getSelection().selectAllChildren(code);
});

if ("runs" in form.dataset) run();

async function run() {
  leaving = new AbortController();
  errors.replaceChildren();
  progress.hidden = false;
  say("Running.");
  try {
    const body = new URLSearchParams(new FormData(form));
    const response = await fetch(form.action, { method: "POST", body, signal: leaving.signal });
    if (response.ok) await follow(response);
    else errors.innerHTML = await response.text();
  } catch (error) {
    if (error.name === "AbortError") say("Cancelled. Run starts it again.", errors);
    else say("The server did not answer to the end. Run starts it again.", errors);
  } finally {
    progress.hidden = true;
  }
}

async function follow(response) {
  for await (const { name, data } of readEvents(response)) {
    if (name === "progress") show(JSON.parse(data));
    else if (name === "problem") say(JSON.parse(data).detail, errors);
    else if (name === "result") {
      result.innerHTML = data; // our own server's, escaped there
      say("Done.");
      return;
    }
  }
}

function show({ done, of }) {
  bar.max = of;
  bar.value = done;
  element("experiment-done").value = `${done.toLocaleString("en")} of ${of.toLocaleString("en")} runs`;
}

/** Tell those who do not see the page; with a place, show it there as well. */
function say(sentence, place) {
  element("experiment-status").textContent = place ? "" : sentence;
  if (place) showMessage(place, sentence);
}
