// One's own account, a part at a time.
import { html } from "../../lib.js";
import { go } from "../../router.js";
import { signOut } from "../../session.js";
import { texts } from "../../texts.js";
import { Button, Page, Tabs } from "../../ui/basics.js";
import { Groups } from "./groups.js";
import { Keys } from "./keys.js";
import { Leaving } from "./leaving.js";
import { Profile } from "./profile.js";
import { SigningIn } from "./signing-in.js";
import { Usage } from "./usage.js";

const t = texts.account;
const PARTS = { profile: Profile, "signing-in": SigningIn, keys: Keys, groups: Groups, usage: Usage, data: Leaving };

export default function Account({ path }) {
  const chosen = Object.hasOwn(PARTS, path[0] ?? "") ? path[0] : "profile";
  const Part = PARTS[chosen];
  return html`
    <${Page} title=${texts.nav.account} actions=${html`<${Button} icon="out" onClick=${signOut}>${t.signOut}<//>`}>
      <${Tabs} label=${texts.nav.account} chosen=${chosen} choose=${(id) => go("account", id)}
        tabs=${Object.keys(PARTS).map((id) => [id, t.parts[id]])} />
      <${Part} key=${chosen} path=${path.slice(1)} />
    <//>
  `;
}
