// Two networks side by side: a page with a pad.

import { element } from "./dom.js";
import { startPadPage } from "./pad_page.js";

startPadPage(element("differences"), element("parting"), { wide: 8, phone: 4, lecture: 8, paper: 8 });
