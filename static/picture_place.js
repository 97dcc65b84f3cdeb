// Places in a picture on the page.

/** The place of an event in an SVG picture, in the units of its view box. */
export function placeIn(picture, event) {
  const box = picture.getBoundingClientRect();
  const view = picture.viewBox.baseVal;
  const scale = Math.min(box.width / view.width, box.height / view.height);
  return [
    (event.clientX - box.left - (box.width - view.width * scale) / 2) / scale + view.x,
    (event.clientY - box.top - (box.height - view.height * scale) / 2) / scale + view.y,
  ];
}
