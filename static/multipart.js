// A form with a picture as the bytes of one request (multipart/form-data, RFC 7578). FormData would take the picture as
// a Blob, which another process of the browser keeps and hands back: that costs milliseconds which show while drawing.

/**
 * A request for fetch whose body is the form's fields and a picture.
 * @param {RequestInit & {body: FormData}} request all fields are text
 * @param {string} name the picture's field
 * @param {Uint8Array} png
 * @returns {RequestInit}
 */
export function withPicture(request, name, png) {
  const boundary = crypto.getRandomValues(new Uint32Array(4)).join("-");
  const begin = (disposition) => `--${boundary}\r\nContent-Disposition: form-data; ${disposition}\r\n`;
  const fields = [...request.body].map(([field, value]) => `${begin(`name="${field}"`)}\r\n${value}\r\n`);
  const picture = `${begin(`name="${name}"; filename="${name}.png"`)}Content-Type: image/png\r\n\r\n`;
  return {
    ...request,
    headers: { ...request.headers, "Content-Type": `multipart/form-data; boundary=${boundary}` },
    body: join(encode(fields.join("") + picture), png, encode(`\r\n--${boundary}--\r\n`)),
  };
}

const encode = (text) => new TextEncoder().encode(text);

function join(...parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
