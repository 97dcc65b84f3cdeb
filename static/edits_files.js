// Edits of the network in files: the edited model for Keras, the edits as JSON, and such a file opened again.

const AWAY = "The server does not answer. Try again when it is back.";
const KEPT_MS = 60_000; // how long a browser may take to begin saving

/**
 * Send a form to the API. Rejects with an Error that has the server's sentence.
 * @param {string} path
 * @param {Record<string, string>} fields
 */
async function ask(path, fields) {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) if (value) body.set(name, value);
  const answer = await fetch(path, { method: "POST", body }).catch(() => {
    throw new Error(AWAY);
  });
  if (answer.ok) return answer;
  const problem = await answer.json().catch(() => ({}));
  throw new Error(problem.detail ?? `The server refused this (${answer.status}).`);
}

const pathOf = (model, ending = "") => `/api/models/${encodeURIComponent(model)}/edits${ending}`;

/**
 * Save the edits as a file.
 * @param {".keras"|".json"} ending the edited model as Keras opens it, or the edits alone
 * @param {{model: string, edits: string, pooling: ?string}} network
 */
export async function saveEdits(ending, { model, edits, pooling }) {
  const answer = await ask(pathOf(model, ending), ending === ".keras" ? { edits, pooling } : { edits });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await answer.blob());
  link.download = ending === ".keras" ? `${model}-edited.keras` : `${model}-edits.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), KEPT_MS);
}

/**
 * The edits in a file that was saved before, as text, if they are of this model.
 * @param {File} file
 * @param {string} model
 */
export async function readEdits(file, model) {
  if (file.size > 131_072)
    throw new Error("This file is larger than any file of edits: it has more than 131,072 bytes.");
  const text = await file.text();
  if (!text.trimStart().startsWith("{")) throw new Error("This is no file of edits: it holds no JSON object.");
  return (await (await ask(pathOf(model), { edits: text })).json()).edits;
}
