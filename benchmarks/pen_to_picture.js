// Watches the explorer from inside: when the pen moved, when a request left, when what it brought was painted.

globalThis.watched = { moves: [], updates: [], longTasks: [] };

addEventListener("pointermove", (event) => event.isTrusted && event.buttons && watched.moves.push(event.timeStamp), {
  capture: true,
});

document.addEventListener("htmx:before:request", () => (watched.left = performance.now()), { capture: true });

document.addEventListener("DOMContentLoaded", () => {
  let changed = new Set();
  const observer = new MutationObserver((records) => {
    if (!changed.size) queueMicrotask(settle);
    for (const { target, addedNodes } of records) {
      for (const each of [target, ...addedNodes]) {
        if (each instanceof HTMLImageElement) changed.add(each);
        else if (each !== target && each instanceof Element) each.querySelectorAll("img").forEach((image) => changed.add(image));
      }
    }
  });
  observer.observe(document.getElementById("layers"), {
    attributes: true,
    attributeFilter: ["src"],
    childList: true,
    subtree: true,
  });

  async function settle() {
    const { left } = watched;
    await Promise.resolve(); // what the same task changes, it has changed
    const images = [...changed];
    changed = new Set();
    if (!images.length) return;
    await Promise.all(images.map((image) => image.decode().catch(() => {})));
    requestAnimationFrame(() => {
      // A message comes after the frame that this callback belongs to is painted.
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => watched.updates.push({ left, painted: performance.now(), images: images.length });
      port2.postMessage(null);
    });
  }
});

new PerformanceObserver((list) => {
  for (const { startTime, duration } of list.getEntries()) watched.longTasks.push({ startTime, duration });
}).observe({ type: "longtask" });
