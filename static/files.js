// Files that may be models, and what a dropped folder stands for.

export const isModelFile = (file) => /\.(keras|h5|hdf5|zip)$/i.test(file.name);

/**
 * The file that was dropped. Of a folder it is the one that tells a SavedModel, or else the model in it.
 * @param {DataTransfer} transfer
 * @returns {Promise<?File>} rejects with an Error whose message is for the person, for a folder of other things
 */
export async function readDrop({ files, items }) {
  const folder = items?.[0]?.webkitGetAsEntry?.();
  if (!folder?.isDirectory) return files[0];
  const entries = await new Promise((resolve, reject) => folder.createReader().readEntries(resolve, reject));
  const entry = entries.find(({ name }) => name === "saved_model.pb") ?? entries.find(isModelFile);
  if (!entry) throw new Error("This is a folder. Drop one file of it: a picture, or a .keras or .h5 model.");
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}
