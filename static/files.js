// What a file is that was chosen, dropped or pasted: a picture for the pad, or something for the opener of models, which
// says what it is.

export const isModelFile = (file) => /\.(keras|h5|hdf5)$/i.test(file.name);

/** Whether the pad should try to show a file: it says that it is a picture, or this browser reads it as one. */
export async function isPicture(file, decode = createImageBitmap) {
  if (isModelFile(file)) return false;
  if (file.type.startsWith("image/")) return true;
  if (file.type) return false;
  try {
    (await decode(file)).close();
    return true;
  } catch {
    return false;
  }
}
