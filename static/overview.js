// The network at a glance leads to its layers, and shows which ones are in view and which is under the microscope.

/**
 * @param {HTMLElement} overview
 * @param {HTMLElement} layers where the list of layers is
 * @param {(article: HTMLElement) => void} show brings a layer into view
 */
export function addOverview(overview, layers, show) {
  const articleOf = (name) => document.getElementById(`layer-${name}`);
  const namesOf = (stop) => stop.dataset.layers.split(" ");

  overview.addEventListener("click", ({ target }) => {
    const stop = target.closest("[data-layers]");
    const article = stop && articleOf(namesOf(stop)[0]);
    if (article) show(article);
  });
  const point = (stop) => {
    for (const each of layers.querySelectorAll(".is-pointed")) each.classList.remove("is-pointed");
    for (const name of stop ? namesOf(stop) : []) articleOf(name)?.classList.add("is-pointed");
  };
  overview.addEventListener("pointerover", ({ target }) => point(target.closest("[data-layers]")));
  overview.addEventListener("pointerleave", () => point(null));

  const mark = () => {
    const selected = layers.querySelector(".maps-button.is-selected")?.closest("[data-layer]").dataset.layer;
    for (const stop of overview.querySelectorAll("[data-layers]")) {
      stop.parentElement.classList.toggle("is-selected", namesOf(stop).includes(selected));
    }
  };
  document.addEventListener("htmx:after:swap", mark);
  layers.addEventListener("click", () => requestAnimationFrame(mark));
  mark();
}
