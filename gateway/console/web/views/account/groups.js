// Groups that one is in, or invited to.
import { get, post, remove } from "../../api.js";
import { html, useState } from "../../lib.js";
import { go, href } from "../../router.js";
import { texts } from "../../texts.js";
import { Badge, Button, Empty, Field } from "../../ui/basics.js";
import { useData } from "../../ui/data.js";
import { Dialog } from "../../ui/dialog.js";
import { Form } from "../../ui/form.js";
import { Icon } from "../../ui/icons.js";
import { attempt } from "../../ui/toast.js";
import { Group } from "./group.js";
import { Section, Shown } from "../../ui/section.js";

const t = texts.account;

export function Groups({ path }) {
  return path[0] ? html`<${Group} key=${path[0]} id=${path[0]} />` : html`<${All} />`;
}

function All() {
  const list = useData((signal) => get("/api/groups", { limit: 1000 }, { signal }), [], ["groups"]);
  const [isMaking, setMaking] = useState(false);
  const add = html`<${Button} kind="primary" icon="plus" onClick=${() => setMaking(true)}>${t.newGroup}<//>`;
  const answer = async (group, work) => {
    await attempt(() => work(`/api/groups/${group.id}/membership`));
    list.reload();
  };
  return html`
    <${Section} title=${t.groups} lead=${t.groupsLead} actions=${list.data?.length > 0 && add}>
      <${Shown} of=${list}>${(groups) => (groups.length === 0
        ? html`<${Empty} icon="users" title=${t.noGroups} action=${add}>${t.noGroupsText}<//>`
        : html`<ul class="list">${groups.map((group) => html`
          <li key=${group.id} class="item">
            ${group.role === "invited" ? html`
              <div class="stack tight"><div class="row"><strong class="wrap">${group.name}</strong><${Badge} kind="warn">${t.roles.invited}<//></div>
                <div class="soft small">${t.invitedText}</div></div>
              <div class="row">
                <${Button} small onClick=${() => answer(group, remove)}>${t.decline}<//>
                <${Button} small kind="primary" onClick=${() => answer(group, post)}>${t.accept}<//>
              </div>
            ` : html`
              <a class="account-group" href=${href("account", "groups", group.id)}>
                <span class="stack tight"><strong class="wrap">${group.name}</strong>
                  <span class="soft small">${t.roles[group.role]} · ${t.members(group.members)}</span></span>
                <${Icon} name="right" />
              </a>
            `}
          </li>
        `)}</ul>`)}<//>
      ${isMaking && html`
        <${Dialog} title=${t.newGroup} close=${() => setMaking(false)}>
          <${Form} send=${({ name }) => post("/api/groups", { name: name.trim() })} done=${({ id }) => go("account", "groups", id)}
            cancel=${() => setMaking(false)} label=${t.makeGroup}>
            ${(errors) => html`<${Field} label=${t.groupName} name="name" autocomplete="off" error=${errors.name} required autofocus />`}
          <//>
        <//>
      `}
    <//>
  `;
}
