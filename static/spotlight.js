// The spotlight: all of the page is dimmed but a soft circle around the pointer, or around what has the focus.

const AROUND = 24; // pixels around what has the focus

export class Spotlight {
  constructor() {
    this.isOn = false;
    this.shade = document.createElement("div");
    this.shade.className = "spotlight";
    this.shade.setAttribute("aria-hidden", "true");
    this.focused = null; // what it is on, while the keyboard leads it
    this.point = { x: innerWidth / 2, y: innerHeight / 2 };
    const follow = ({ clientX, clientY }) => {
      this.focused = null;
      this.light({ x: clientX, y: clientY });
    };
    for (const type of ["pointermove", "pointerdown"]) document.addEventListener(type, follow, { capture: true });
    document.addEventListener("focusin", ({ target }) => {
      if (!target.matches(":focus-visible") || target.id === "main") return;
      this.focused = target;
      this.lightFocused();
    });
    document.addEventListener("scroll", () => this.lightFocused(), { capture: true, passive: true });
    addEventListener("resize", () => this.lightFocused());
  }

  turn(isOn) {
    this.isOn = isOn;
    if (isOn) document.body.append(this.shade);
    else this.shade.remove();
    this.light(this.point);
    this.lightFocused();
    for (const button of document.querySelectorAll("[data-spotlight]")) {
      button.setAttribute("aria-pressed", String(isOn));
    }
  }

  /** Light what has the focus, all of it. */
  lightFocused() {
    if (!this.focused?.isConnected) return;
    const { left, top, width, height } = this.focused.getBoundingClientRect();
    const radius = Math.hypot(width, height) / 2 + AROUND;
    this.light({ x: left + width / 2, y: top + height / 2 }, radius);
  }

  /** @param {number} radius in pixels; the style sheet's is the least */
  light(point, radius = 0) {
    this.point = point;
    if (!this.isOn) return;
    const places = { "--spot-x": point.x, "--spot-y": point.y, "--spot-radius": radius };
    for (const [name, value] of Object.entries(places)) this.shade.style.setProperty(name, `${Math.round(value)}px`);
  }
}
