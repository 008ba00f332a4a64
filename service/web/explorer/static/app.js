// What makes pages quicker to use. Each of them works without it.
import { complete } from "./combobox.js";
import { follow } from "./live.js";

for (const input of document.querySelectorAll("input[data-complete]")) complete(input);
follow(document);
