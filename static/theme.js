// Light or dark: the person's choice, else the system's. No module, so that it runs before the page is drawn.

(() => {
  const KEY = "layerglass-theme";
  const system = matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;
  const read = () => {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null; // a browser that keeps nothing
    }
  };
  let chosen = read();

  const apply = () => {
    root.dataset.theme = chosen ?? (system.matches ? "dark" : "light");
    document.dispatchEvent(new CustomEvent("theme"));
  };
  system.addEventListener("change", apply);
  document.addEventListener("click", ({ target }) => {
    if (!target.closest?.("[data-theme-switch]")) return;
    chosen = root.dataset.theme === "dark" ? "light" : "dark";
    try {
      // Back at what the system says, the page follows the system again.
      if (chosen === (system.matches ? "dark" : "light")) {
        localStorage.removeItem(KEY);
        chosen = null;
      } else localStorage.setItem(KEY, chosen);
    } catch {
      // It holds until the page is left.
    }
    apply();
  });
  apply();
})();
