// Watches the cloud's page from inside: when the pen moved, when a request left, when the ring and the answer were on
// screen after it. An SVG's circle has no Element Timing: the frame after the change stands for both.

globalThis.watched = { moves: [], rings: [], answers: [] };

function rememberMoves(event) {
  if (!event.isTrusted || !event.buttons) return;
  const told = performance.now();
  watched.moves.push(...event.getCoalescedEvents().map(({ timeStamp }) => ({ made: timeStamp, told })));
}
addEventListener("pointerrawupdate", rememberMoves, { capture: true });

const left = new WeakMap(); // by htmx' context of a request
let swapped = null; // the one whose answer is put on the page
document.addEventListener("htmx:before:request", ({ detail }) => left.set(detail.ctx, performance.now()), { capture: true });
document.addEventListener("htmx:after:request", ({ detail }) => (swapped = detail.ctx), { capture: true });

/** Call back once the next frame is on screen: a task after its requestAnimationFrame. */
function afterPaint(callback) {
  requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => callback(performance.now());
    port2.postMessage(null);
  });
}

function watch(id, updates, isIt) {
  new MutationObserver((records) => {
    if (!left.has(swapped) || !records.some(isIt)) return;
    const update = { left: left.get(swapped), painted: 0 };
    afterPaint((now) => {
      update.painted = now;
      updates.push(update);
    });
  }).observe(document.getElementById(id), { attributes: true, characterData: true, childList: true, subtree: true });
}

document.addEventListener("DOMContentLoaded", () => {
  watch("cloud-view", watched.rings, ({ target }) => target.id === "cloud-drawing");
  watch("answer", watched.answers, () => true);
});
