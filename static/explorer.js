// The explorer: a page with a pad, the list of layers, the microscope, and models of the user's own.

import { element } from "./dom.js";
import { Edits } from "./edits.js";
import { addHelp } from "./help.js";
import { addHints, isFirstVisit } from "./hints.js";
import { addImageMenu } from "./image_menu.js";
import { LayerList } from "./layers.js";
import { Microscope } from "./microscope.js";
import { addOverview } from "./overview.js";
import { addCardEditing, addModelOpening, addReadingChoice } from "./own_models.js";
import { startPadPage } from "./pad_page.js";
import { Paper } from "./paper.js";
import { addPeek } from "./peek.js";
import { addSaving } from "./saving.js";

const form = element("explorer");
const layers = element("layers");
const poolings = () => [...form.querySelectorAll("#pooling input[name=pooling]")];

// Another model starts as it was trained, not with the pooling chosen for the last one. This comes before the address
// is written, which would keep that pooling.
form.elements.model.addEventListener("change", () => {
  for (const radio of form.querySelectorAll("#pooling input")) radio.checked = false;
});

const files = { file: element("edits-file"), errors: element("model-errors") };
const edits = new Edits(form, element("edits"), element("dock"), files);

// Before the page starts: the first request already asks for what is on screen.
const list = new LayerList(form, layers, element("contents"));
const openModel = addModelOpening(form, element("model-errors"));
const columns = { wide: 16, phone: 8, lecture: 4, paper: 8 };
const { send, save, inputFrame, pad, inputs } = startPadPage(form, layers, columns, openModel);
edits.sendMove = send;
addCardEditing(element("card"), send);
addReadingChoice(element("reading"), element("card"), form, send);
new Microscope(form, layers, element("dock"), { save, inputFrame, isFirstVisit });
addHelp(element("help"));
addHints(element("hints"));
addPeek(element("pooling"));
addSaving(element("save-dialog"), { form, pad, inputs, save });
addImageMenu(layers);
new Paper(form, layers, list);
addOverview(element("overview"), layers, (article) => list.show(article));

document.addEventListener("htmx:after:swap", () => {
  // A radio that was ever set by hand no longer follows its attribute, which is what morphing changes.
  if (poolings().some((radio) => radio.checked)) return;
  for (const radio of poolings()) radio.checked = radio.defaultChecked;
});
