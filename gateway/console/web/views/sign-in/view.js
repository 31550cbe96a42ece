// Who has not signed in does so here.
import { post } from "../../api.js";
import { html } from "../../lib.js";
import { reason, take } from "../../session.js";
import { texts } from "../../texts.js";
import { Field } from "../../ui/basics.js";
import { Form } from "../../ui/form.js";

const signIn = ({ username, password }) => post(
  "/api/login/access-token",
  new URLSearchParams({ username, password, scope: "offline_access" }),
  { anonymous: true },
);

export default () => html`
  <main class="page sign-in"><section class="card stack">
    <h1>${texts.signIn.title}</h1>
    ${reason.value && html`<p class="form-error" role="alert">${reason.value}</p>`}
    <${Form} send=${signIn} done=${take} label=${texts.signIn.title}>
      ${(errors) => html`
        <${Field} label="Name" name="username" autocomplete="username" error=${errors.username} required />
        <${Field} label="Password" name="password" type="password" autocomplete="current-password" error=${errors.password} required />
      `}
    <//>
  </section></main>
`;
