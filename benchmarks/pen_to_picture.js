// Watches the explorer from inside: when the pen moved, when a request left, when what it brought was on screen.

performance.setResourceTimingBufferSize(100_000);
globalThis.watched = { moves: [], updates: [], longTasks: [] };

// Each move, when it was made and when the page was told of it: only a request that left after that can hold it. Not
// pointermove, which waits for the next frame, and may be several of them.
function rememberMoves(event) {
  if (!event.isTrusted || !event.buttons) return;
  const told = performance.now();
  watched.moves.push(...event.getCoalescedEvents().map(({ timeStamp }) => ({ made: timeStamp, told })));
}
addEventListener("pointerrawupdate", rememberMoves, { capture: true });

// The next request may leave before an answer is put on the page: each knows for itself when it left.
const left = new WeakMap(); // by the context of a request, htmx' or that of a move of the pen
let swapped = null; // the one whose answer is put on the page, by htmx or by the page itself
for (const name of ["htmx:before:request", "move"])
  document.addEventListener(name, ({ detail }) => left.set(detail.ctx, performance.now()), { capture: true });
for (const name of ["htmx:after:request", "htmx:before:swap", "live"])
  document.addEventListener(name, ({ detail }) => (swapped = detail.ctx), { capture: true });

document.addEventListener("DOMContentLoaded", () => {
  const updates = new Map(); // by picture: the updates that changed it and that it was not yet presented with
  const results = document.getElementById("layers");

  // After each change of pictures. The browser itself says when each is presented (Element Timing), where it is asked to.
  new MutationObserver((records) => {
    const images = new Set(records.flatMap(({ target, addedNodes }) => [target, ...addedNodes].flatMap(imagesIn)));
    if (!left.has(swapped)) return; // the page as it came
    const update = { left: left.get(swapped), swapped: performance.now(), missing: images.size, painted: 0 };
    for (const image of images) {
      image.setAttribute("elementtiming", "map");
      updates.set(image, [...(updates.get(image) ?? []), update]);
    }
  }).observe(results, { attributes: true, attributeFilter: ["src"], childList: true, subtree: true });

  // A picture was loaded after the update that changed it, and before the next one; it is often presented after that.
  new PerformanceObserver((list) => {
    for (const { element, loadTime, renderTime } of list.getEntries()) {
      const waiting = updates.get(element) ?? [];
      const update = waiting.findLast(({ swapped }) => swapped <= loadTime);
      if (!update) continue;
      updates.set(element, waiting.slice(waiting.indexOf(update) + 1));
      update.painted = Math.max(update.painted, renderTime);
      if (--update.missing === 0) watched.updates.push(update);
    }
  }).observe({ type: "element" });
});

function imagesIn(node) {
  if (node instanceof HTMLImageElement) return [node];
  return node instanceof Element ? [...node.querySelectorAll("img")] : [];
}

new PerformanceObserver((list) => {
  for (const { startTime, duration } of list.getEntries()) watched.longTasks.push({ startTime, duration });
}).observe({ type: "longtask" });
