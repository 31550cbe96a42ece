// Users, for administrators: all of them, one of them, and those who are leaving.
import { html } from "../../lib.js";
import { Deletions } from "./deletions.js";
import { User } from "./user.js";
import { Users } from "./users.js";

export default ({ path: [id], query }) => {
  if (!id) return html`<${Users} query=${query} />`;
  return id === "deletions" ? html`<${Deletions} />` : html`<${User} key=${id} id=${id} query=${query} />`;
};
