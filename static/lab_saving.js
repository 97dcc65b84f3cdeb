// Saving: each picture as a PNG, whole, and the values of all of them as an NPZ, by the requests that the API takes.

const AWAY = "The server does not answer, so nothing was saved. Try again when it is back.";

/**
 * @param {HTMLElement} results
 * @param {import("./lab_chain.js").Chain} chain
 * @param {{chosen: string, isGrey: boolean, current: () => Promise<?{file: Blob}>}} pictures
 * @param {(message: string) => void} refuse
 */
export function addLabSaving(results, chain, pictures, refuse) {
  async function save(path, name) {
    const body = new FormData();
    const sent = await pictures.current();
    if (sent) body.set("picture", sent.file, "picture");
    else body.set("sample", pictures.chosen);
    body.set("chain", chain.text);
    if (pictures.isGrey) body.set("grey", "true");
    if (path.endsWith(".png")) body.set("theme", document.documentElement.dataset.theme);
    let answer;
    try {
      answer = await fetch(path, { method: "POST", body });
    } catch {
      return refuse(AWAY);
    }
    if (!answer.ok) return refuse((await answer.json()).detail);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await answer.blob());
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  results.addEventListener("click", ({ target }) => {
    const step = target.closest?.("[data-save]")?.dataset.save;
    if (step !== undefined)
      save(`/api/lab/steps/${step}.png`, step === "0" ? "lab-picture.png" : `lab-step-${step}.png`);
  });
  document.getElementById("lab-npz").addEventListener("click", () => save("/api/lab/values.npz", "lab.npz"));
}
