// Flows: all of them, one of them, or a new one.
import { html } from "../../lib.js";
import { Editor } from "./editor.js";
import { List } from "./list.js";

export default ({ path: [id] }) => (id ? html`<${Editor} key=${id} id=${id === "new" ? null : id} />` : html`<${List} />`);
