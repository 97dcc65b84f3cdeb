// Save image as, on a grid: its buttons step aside while the browser's own menu is open, so that the menu is the
// picture's.

/** @param {HTMLElement} layers where the grids are */
export function addImageMenu(layers) {
  let aside = null; // the grid whose buttons are out of the way
  let missed = false; // the press under way met the picture instead of a button

  const stepAside = ({ target }) => {
    if (target.closest(".maps") === aside) return;
    comeBack();
    aside = target.closest(".maps");
    aside?.classList.add("is-aside");
  };
  const comeBack = () => {
    aside?.classList.remove("is-aside");
    aside = null;
  };

  layers.addEventListener("pointerdown", (event) => event.button === 2 && stepAside(event), { capture: true });
  // The picture takes no focus, and so must not take it from a button.
  layers.addEventListener("mousedown", (event) => event.button === 2 && aside && event.preventDefault());
  // Without a right button: Ctrl and a click, a long press, or a key.
  layers.addEventListener("contextmenu", stepAside, { capture: true });
  document.addEventListener("pointermove", ({ buttons }) => aside && !buttons && comeBack(), { capture: true });
  document.addEventListener("keydown", comeBack, { capture: true });
  document.addEventListener(
    "pointerdown",
    ({ button }) => {
      missed = aside !== null && button === 0;
      if (missed) comeBack();
    },
    { capture: true },
  );
  // The menu was left by a click where the pointer already was.
  layers.addEventListener(
    "click",
    (event) => {
      if (!missed || event.target.closest(".maps-button")) return;
      const under = document.elementFromPoint(event.clientX, event.clientY)?.closest(".maps-button");
      missed = false;
      if (!under) return;
      event.stopPropagation();
      under.click();
    },
    { capture: true },
  );
}
