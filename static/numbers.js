// Numbers that a person typed.

/** The numbers in a text, or null for none. The server refuses what is not a number. */
export function readNumbers(text) {
  const parts = text.split(/[\s,;]+/).filter(Boolean);
  return parts.length ? parts.map(Number) : null;
}
