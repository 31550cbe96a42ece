// What was used of language models, for administrators: one's own, anybody's, and user by user.
import { html } from "../../lib.js";
import { replace } from "../../router.js";
import { me } from "../../session.js";
import { texts } from "../../texts.js";
import { Page, Tabs } from "../../ui/basics.js";
import { UserField } from "../shared/user-field.js";
import { ByUser } from "./by-user.js";
import { Report } from "./report.js";

const words = texts.usage;

export default ({ path: [tab], query }) => {
  const chosen = tab === "users" ? "users" : "one";
  const user = query.user ?? me.value?.id;
  return html`
    <${Page} title=${texts.nav.usage}>
      <${Tabs} label=${texts.nav.usage} tabs=${[["one", words.ofOne], ["users", words.byUser]]} chosen=${chosen}
        choose=${(each) => replace(...(each === "users" ? ["usage", "users"] : ["usage"]))} />
      ${chosen === "users" ? html`<${ByUser} />` : html`
        ${user && html`
          <${Report} userId=${user}><${UserField} label=${words.user} chosen=${user} choose=${(id) => id && replace("usage", { user: id })} /><//>
        `}
      `}
    <//>
  `;
};
