// The request to the API that returns what the page shows, and the lines that send it from a shell and from Python.

/**
 * @typedef {object} View what the page shows
 * @property {string} network the model that runs
 * @property {[string, string][]} fields of every request: pooling, and what is read
 * @property {[string, string][]} look fields of requests for pictures
 * @property {[string, string][]} files of every request: field and file name
 * @property {?string} pooling
 * @property {?{layer: string, channel: number, row: number, column: number, isMap: boolean}} selection the microscope's
 *
 * @typedef {object} Plan
 * @property {string} path
 * @property {[string, string][]} fields
 * @property {[string, string][]} files
 * @property {string} name of the file that the page saves
 * @property {string} output of the file that a script writes
 */

/** Parts of a file's name, without what a file system or a shell could take for something else. */
const joinName = (...parts) =>
  parts
    .filter((part) => part !== null && part !== "")
    .join("-")
    .replace(/[^\p{L}\p{N}._-]+/gu, "-")
    .replace(/^[.-]+/, "");

/**
 * @param {{kind: "network"|"grid"|"map"|"csv"|"npz"|"panel", layer?: string, first?: number, count?: number}} what
 * @param {View} view
 * @param {number} zoom pixels a cell
 * @returns {Plan}
 */
export function planRequest(what, view, zoom) {
  const base = `/api/models/${encodeURIComponent(view.network)}`;
  const { layer, channel, row, column, isMap } = view.selection ?? {};
  const of = (name) => `${base}/layers/${encodeURIComponent(name)}/feature-maps`;
  const place = isMap ? `map${channel}` : "values";
  const named = (path, extension, ...parts) => {
    const name = `${joinName(view.network, view.pooling, ...parts)}.${extension}`;
    return { path, fields: view.fields, files: view.files, name, output: name };
  };
  const drawn = (plan, fields = []) => ({
    ...plan,
    fields: [...plan.fields, ...view.look, ...fields, ...(zoom > 1 ? [["zoom", String(zoom)]] : [])],
  });
  switch (what.kind) {
    case "network":
      return drawn(named(`${base}/network.png`, "png", "network"));
    case "grid": {
      const { first, count } = what;
      if (count === undefined) return drawn(named(`${of(what.layer)}.png`, "png", what.layer));
      const some = [
        ["first", String(first)],
        ["count", String(count)],
      ];
      return drawn(named(`${of(what.layer)}.png`, "png", what.layer, `maps${first}-${first + count - 1}`), some);
    }
    case "map": {
      const plan = drawn(named(`${of(layer)}/${channel}.png`, "png", layer, place));
      return { ...plan, fields: plan.fields.filter(([name]) => name !== "columns") };
    }
    case "csv":
      return named(`${of(layer)}/${channel}.csv`, "csv", layer, place);
    case "npz":
      return named(`${base}/activations.npz`, "npz", view.pooling ? "" : "activations");
    default: {
      const cell = isMap ? `row${row}-column${column}` : `unit${column}`;
      const plan = named(`${of(layer)}/${channel}/cells/${row},${column}`, "png", layer, isMap ? place : "", cell);
      return { ...plan, output: plan.name.replace(/png$/, "json") };
    }
  }
}

/** A word of a POSIX shell. */
export const quoteForShell = (text) => (/^[\w./:=@,%+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

/** @param {Plan} plan */
export function formatCurl(origin, { path, fields, files, output }) {
  const parts = [
    ...files.map(([field, name]) => ["-F", `${field}=@${name}`]),
    // A value that begins with one of these, or has a semicolon, means something else to curl.
    ...fields.map(([field, value]) => [/^[@<"]|;/.test(value) ? "--form-string" : "-F", `${field}=${value}`]),
  ];
  const sent = parts.length ? parts.flat() : ["-X", "POST"];
  return ["curl", "-f", ...sent, "-o", output, origin + path].map(quoteForShell).join(" ");
}

/** @param {Plan} plan */
export function formatPython(origin, { path, fields, files, output }) {
  const text = JSON.stringify; // a string of JSON is one of Python
  const data = fields.map(([field, value]) => `${text(field)}: ${text(value)}`).join(", ");
  const opened = files.map(([field, name]) => `${text(field)}: open(${text(name)}, "rb")`).join(", ");
  const sent = [text(origin + path), data && `data={${data}}`, opened && `files={${opened}}`].filter(Boolean);
  return [
    "import requests",
    "",
    "answer = requests.post(",
    ...sent.map((argument) => `    ${argument},`),
    ")",
    "answer.raise_for_status()",
    output.endsWith(".json") ? "print(answer.json())" : `open(${text(output)}, "wb").write(answer.content)`,
    "",
  ].join("\n");
}
