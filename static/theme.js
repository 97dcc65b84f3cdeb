// Light, dark, or as the system: the person's choice. No module, so that it runs before the page is drawn.

(() => {
  const KEY = "layerglass-theme";
  const NEXT = { system: "light", light: "dark", dark: "system" };
  const SIGNS = { system: "◐", light: "○", dark: "●" };
  const system = matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;
  const read = () => {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null; // a browser that keeps nothing
    }
  };
  const keep = () => {
    try {
      if (chosen === "system") localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, chosen);
    } catch {
      // It holds until the page is left.
    }
  };
  let chosen = read();
  if (!(chosen in NEXT)) chosen = "system";

  /** Say on the switch which theme is chosen, and which one a click chooses. */
  const say = () => {
    for (const button of document.querySelectorAll("[data-theme-switch]")) {
      const words = document.createElement("span");
      words.className = "masthead-name";
      words.textContent = ` ${chosen[0].toUpperCase()}${chosen.slice(1)}`;
      button.replaceChildren(SIGNS[chosen], words);
      button.setAttribute("aria-label", `Theme: ${chosen}. Switch to ${NEXT[chosen]}`);
      button.title = chosen === "system" ? "Theme: as the system" : `Theme: ${chosen}`;
    }
  };
  const apply = () => {
    root.dataset.theme = chosen === "system" ? (system.matches ? "dark" : "light") : chosen;
    say();
    document.dispatchEvent(new CustomEvent("theme"));
  };
  system.addEventListener("change", apply);
  document.addEventListener("click", ({ target }) => {
    if (!target.closest?.("[data-theme-switch]")) return;
    chosen = NEXT[chosen];
    keep();
    apply();
  });
  document.addEventListener("DOMContentLoaded", say);
  apply();
})();
