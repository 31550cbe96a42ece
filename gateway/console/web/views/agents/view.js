// Agents: all of them, one of them, or a new one that connects.
import { html } from "../../lib.js";
import { Connect } from "./connect.js";
import { Detail } from "./detail.js";
import { List } from "./list.js";

export default function Agents({ path, query }) {
  const [id] = path;
  if (id === "new") return html`<${Connect} />`;
  return id ? html`<${Detail} key=${id} id=${id} query=${query} />` : html`<${List} query=${query} />`;
}
