// Files of the API: they come with a token, so a link alone does not bring them.
import { request } from "../api.js";
import { html } from "../lib.js";
import { Button } from "./basics.js";
import { attempt } from "./toast.js";

export async function saveFile(id, name) {
  const response = await request("GET", `/files/${id}`);
  const url = URL.createObjectURL(await response.blob());
  const link = Object.assign(document.createElement("a"), { href: url, download: name });
  link.click();
  URL.revokeObjectURL(url);
}

export const Files = ({ files }) => files?.length > 0 && html`
  <ul class="row">
    ${files.map(({ id, original_name }) => html`
      <li key=${id}><${Button} small icon="download" onClick=${() => attempt(() => saveFile(id, original_name))}>${original_name}<//></li>
    `)}
  </ul>
`;
