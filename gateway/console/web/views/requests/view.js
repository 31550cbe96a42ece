// Requests: all of the user's, or the way of one.
import { html } from "../../lib.js";
import { Detail } from "./detail.js";
import { List } from "./list.js";

export default ({ path: [id], query }) => (id ? html`<${Detail} key=${id} id=${id} />` : html`<${List} query=${query} />`);
