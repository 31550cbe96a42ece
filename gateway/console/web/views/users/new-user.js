// A new user, who chooses a password by a link; and such a link for who is there already.
import { post } from "../../api.js";
import { html, useState } from "../../lib.js";
import { ROOT } from "../../root.js";
import { texts } from "../../texts.js";
import { Copy, Field, Time } from "../../ui/basics.js";
import { Dialog } from "../../ui/dialog.js";
import { Form } from "../../ui/form.js";

const words = texts.users;

export const makeLink = (id) => post(`/api/users/${id}/password-reset`);

export function NewUser({ close, done }) {
  const [made, setMade] = useState(null);
  const send = async ({ username }) => {
    const user = await post("/api/register", { username, password: unknownPassword() });
    done();
    return { name: user.username, link: await makeLink(user.id) };
  };
  if (made) return html`<${LinkDialog} name=${made.name} link=${made.link} close=${close} />`;
  return html`
    <${Dialog} title=${words.new} close=${close}>
      <${Form} send=${send} done=${setMade} cancel=${close} label=${words.create} places=${{ username: /already exists/ }}>
        ${(errors) => html`<${Field} label=${words.name} hint=${words.createHint} name="username" autocomplete="off" maxlength="255" required autofocus error=${errors.username} />`}
      <//>
    <//>
  `;
}

// It is shown here and nowhere else.
export const LinkDialog = ({ name, link, close }) => {
  const url = link.url ?? `${ROOT}/password-reset#${link.token}`;
  return html`
    <${Dialog} title=${words.linkTitle(name)} close=${close}>
      <div class="stack">
        <p>${words.linkText}</p>
        <code class="code users-link">${url}</code>
        <div class="row row-between">
          <span class="soft small">${words.linkEnds} <${Time} at=${link.expires_at} /></span>
          <${Copy} text=${url} small=${false} />
        </div>
      </div>
    <//>
  `;
};

// Nobody gets to know it: the user sets one of his own.
function unknownPassword() {
  const random = crypto.getRandomValues(new Uint8Array(24));
  return `${btoa(String.fromCharCode(...random))}-Aa1`;
}
