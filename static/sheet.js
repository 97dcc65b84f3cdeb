// A sheet that comes from below, and what lies under it.

export const REDUCED_MOTION = matchMedia("(prefers-reduced-motion: reduce)");

const GAP = 8; // above a map that was scrolled below the head

/** How much of the screen a dock may cover, in pixels: none of it where it is no sheet, and so has no largest height. */
export const coveredBy = (dock) => Number.parseFloat(getComputedStyle(dock).maxHeight) || 0;

/** Where the part of the screen begins that nothing above a layer covers: the switches, or on a phone the pad. */
function findHead(layer) {
  const bottoms = [...document.querySelectorAll(".workspace-head, .pad, .answer")].map((each) => {
    const { position, top } = getComputedStyle(each);
    const { left, right, height } = each.getBoundingClientRect();
    const isAbove = position === "sticky" && left < layer.right && right > layer.left;
    return isAbove ? (Number.parseFloat(top) || 0) + height : 0;
  });
  return Math.max(...bottoms) + GAP;
}

/** Scroll a map to where neither the sheet nor the page's head covers it, with as much of its layer as there is room. */
export function keepInView(map, dock) {
  const covered = coveredBy(dock);
  if (!covered) return;
  const { top, bottom } = map.getBoundingClientRect();
  const layer = map.closest(".layer").getBoundingClientRect();
  const [head, room] = [findHead(layer), innerHeight - covered];
  const under = bottom > room ? Math.max(bottom - room, Math.min(layer.bottom - room, top - head)) : 0;
  const distance = Math.round(under || Math.min(0, top - head));
  if (distance) scrollBy({ top: distance, behavior: REDUCED_MOTION.matches ? "auto" : "smooth" });
}
