// Why this answer: a page with a pad, whose results link into the explorer.

import { updateLinks } from "./address.js";
import { element } from "./dom.js";
import { startPadPage } from "./pad_page.js";

startPadPage(element("why"), element("explanation"), { wide: 8, phone: 4, lecture: 4, paper: 8 });
document.addEventListener("htmx:after:swap", updateLinks);
