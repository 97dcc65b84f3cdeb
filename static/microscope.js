// The microscope: which map and which cell are meant. The server draws and computes; this only says where to look.

import { readPlace } from "./maps.js";

const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
const REDUCED_MOTION = matchMedia("(prefers-reduced-motion: reduce)");

/**
 * @param {HTMLFormElement} form holds the selection, sends it with every request
 * @param {HTMLElement} layers where the grids and the microscope's panel are
 * @param {{send: () => void, save: () => void}} exchange asks for all results again; keeps the state in the address
 */
export function addMicroscope(form, layers, { send, save }) {
  const fields = Object.fromEntries(
    ["layer", "channel", "row", "column", "precise", "everything"].map((name) => [name, form.elements[name]]),
  );
  const probe = form.querySelector("#probe");
  let playing = 0;
  let origin = null; // what had the focus before the panel was opened

  const panel = () => document.getElementById("microscope");
  const set = (values) => {
    for (const [name, value] of Object.entries(values)) {
      fields[name].disabled = value === null;
      fields[name].value = value ?? "";
    }
    save();
  };
  const ask = () => probe.dispatchEvent(new CustomEvent("probe"));

  function select(layer, channel, row = null, column = null) {
    stop();
    const isOpen = panel()?.dataset.layer === layer;
    set({ layer, channel, row, column });
    if (isOpen) return ask();
    send();
  }

  function close() {
    stop();
    set({ layer: null, channel: null, row: null, column: null });
    refresh();
    origin?.focus();
  }

  /** The cell that the panel shows, or was last asked for: steps follow one another faster than answers. */
  function current() {
    const shown = panel().dataset;
    const [row, column] = fields.row.disabled ? [shown.row, shown.column] : [fields.row.value, fields.column.value];
    return [Number(row), Number(column)];
  }

  function moveTo(row, column) {
    const { rows, columns } = panel().dataset;
    const clamp = (value, count) => Math.max(0, Math.min(Number(count) - 1, value));
    const [before, there] = [current(), [clamp(row, rows), clamp(column, columns)]];
    if (!fields.row.disabled && before[0] === there[0] && before[1] === there[1]) return;
    set({ row: there[0], column: there[1] });
    ask();
  }

  // Maps: a button over each one, made once a page of a grid; one of them takes part in the Tab order, arrow keys reach the rest.

  function fill(overlay) {
    const { layer, word, place: shape } = overlay.parentElement.dataset;
    if (overlay.shape === shape) return;
    overlay.shape = shape;
    const { first, count, columns, width, height, gap } = readPlace(overlay.parentElement);
    const [across, down] = [width + gap, height + gap];
    const totalWidth = columns * across - gap;
    const totalHeight = Math.ceil(count / columns) * down - gap;
    const buttons = Array.from({ length: count }, (_, number) => {
      const index = first + number;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "map";
      button.tabIndex = number ? -1 : 0;
      button.dataset.index = index;
      button.setAttribute("aria-label", `${layer}, ${word} ${index}`);
      const [row, column] = [Math.floor(number / columns), number % columns];
      Object.assign(button.style, {
        left: `${(100 * column * across) / totalWidth}%`,
        top: `${(100 * row * down) / totalHeight}%`,
        width: `${(100 * width) / totalWidth}%`,
        height: `${(100 * height) / totalHeight}%`,
      });
      return button;
    });
    overlay.replaceChildren(...buttons);
    overlay.chosen = undefined; // nothing is marked yet
  }

  function mark(overlay) {
    const isHere = !fields.layer.disabled && fields.layer.value === overlay.parentElement.dataset.layer;
    const isMap = overlay.parentElement.dataset.word === "map";
    const chosen = isHere ? (isMap ? fields.channel.value : String(panel()?.dataset.column)) : null;
    if (overlay.chosen === chosen) return;
    overlay.chosen = chosen;
    for (const button of overlay.children) {
      const isChosen = button.dataset.index === chosen;
      button.classList.toggle("is-selected", isChosen);
      button.setAttribute("aria-pressed", String(isChosen));
    }
  }

  function refresh() {
    // Closed, or on another layer now; an answer that was under way may still have brought it.
    const shown = fields.layer.disabled ? null : fields.layer.value;
    if (panel() && panel().dataset.layer !== shown) panel().remove();
    for (const overlay of layers.querySelectorAll(".overlay")) {
      fill(overlay);
      mark(overlay);
    }
    const play = panel()?.querySelector("[data-play]");
    if (play) {
      play.disabled = REDUCED_MOTION.matches;
      play.textContent = playing ? "Pause" : "Play";
      play.setAttribute("aria-pressed", String(playing !== 0));
      if (REDUCED_MOTION.matches) play.title = "Off, because this system asks for reduced motion";
    }
  }

  layers.addEventListener("click", (event) => {
    const button = event.target.closest("button.map");
    if (button) {
      origin = button;
      const { layer, word } = button.closest(".maps").dataset;
      const index = Number(button.dataset.index);
      if (word === "map") select(layer, index);
      else select(layer, 0, 0, index);
    } else if (event.target.closest("[data-close]")) close();
    else if (event.target.closest("[data-play]")) toggle();
    else if (panel() && !event.target.closest("#microscope")) close();
  });

  layers.addEventListener("keydown", (event) => {
    const button = event.target.closest("button.map");
    if (!button || !STEPS[event.key]) return;
    const [rows, columns] = STEPS[event.key];
    const { first, columns: across } = readPlace(button.closest(".maps"));
    const next = Number(button.dataset.index) - first + rows * across + columns;
    const target = button.parentElement.children[next];
    if (!target) return;
    event.preventDefault();
    button.tabIndex = -1;
    target.tabIndex = 0;
    target.focus();
  });

  // Cells: pointing at any of the panel's pictures that has the map's own cells, or keys on the map

  const pointed = (event) => {
    const picture = event.target.closest("#microscope svg[data-cells]");
    if (!picture) return;
    const box = picture.getBoundingClientRect();
    const view = picture.viewBox.baseVal;
    const scale = Math.min(box.width / view.width, box.height / view.height);
    const x = (event.clientX - box.left - (box.width - view.width * scale) / 2) / scale + view.x;
    const y = (event.clientY - box.top - (box.height - view.height * scale) / 2) / scale + view.y;
    const [top, left, rows, columns] = picture.dataset.cells.split(" ").map(Number);
    // From a place in the picture to the cell whose window is centred there: the map's own pictures have step 1.
    const row = Math.floor((y - top) / rows);
    const column = Math.floor((x - left) / columns);
    stop();
    moveTo(row, column);
  };
  layers.addEventListener("pointermove", (event) => event.pointerType === "mouse" && pointed(event));
  layers.addEventListener("pointerdown", pointed);

  document.addEventListener("keydown", (event) => {
    if (!panel()) return;
    if (event.key === "Escape") close();
    else if (event.target.id === "microscope-map" && STEPS[event.key]) {
      stop();
      const [row, column] = current();
      moveTo(row + STEPS[event.key][0], column + STEPS[event.key][1]);
    } else if (event.target.id === "microscope-map" && event.key === " ") toggle();
    else return;
    event.preventDefault();
  });

  layers.addEventListener("change", (event) => {
    if (event.target.matches("[data-precise]")) set({ precise: event.target.checked ? "true" : null });
    else if (event.target.matches("[data-all-terms]")) set({ everything: event.target.checked ? "true" : null });
    else return;
    ask();
  });

  // Play: the window slides over the map, row by row

  function toggle() {
    if (playing) stop();
    else if (!REDUCED_MOTION.matches) step();
    refresh();
  }

  function step() {
    const { rows, columns } = panel().dataset;
    const [row, column] = current();
    const next = (row * columns + column + 1) % (rows * columns);
    moveTo(Math.floor(next / columns), next % columns);
    const speed = Number(panel().querySelector("[data-speed]").value);
    playing = setTimeout(() => (panel() ? step() : stop()), 1000 / speed);
  }

  function stop() {
    clearTimeout(playing);
    playing = 0;
  }

  // Another model has other layers: look at it as a whole first.
  form.elements.model.addEventListener("change", () => {
    stop();
    for (const name of ["layer", "channel", "row", "column"]) fields[name].disabled = true;
  });

  document.addEventListener("htmx:after:swap", refresh);
  refresh();
}
