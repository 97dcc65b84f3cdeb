// A sheet that comes from below, and what lies under it.

export const REDUCED_MOTION = matchMedia("(prefers-reduced-motion: reduce)");

/** How much of the screen a dock may cover, in pixels: none of it where it is no sheet, and so has no largest height. */
export const coveredBy = (dock) => Number.parseFloat(getComputedStyle(dock).maxHeight) || 0;

/** Scroll a map to where the sheet does not cover it, and as much of its layer as leaves the map in view. */
export function keepInView(map, dock) {
  const covered = coveredBy(dock);
  const room = innerHeight - covered;
  const { top, bottom } = map.getBoundingClientRect();
  if (!covered || bottom <= room) return;
  const layer = map.closest(".layer");
  const head = Number.parseFloat(getComputedStyle(layer).scrollMarginTop);
  const distance = Math.max(bottom - room, Math.min(layer.getBoundingClientRect().bottom - room, top - head));
  scrollBy({ top: distance, behavior: REDUCED_MOTION.matches ? "auto" : "smooth" });
}
