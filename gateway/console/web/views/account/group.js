// One group: who is in it, and what is shared with it.
import { get, patch, post, remove } from "../../api.js";
import { html, useState } from "../../lib.js";
import { go, href } from "../../router.js";
import { me } from "../../session.js";
import { texts } from "../../texts.js";
import { Badge, Button, Field } from "../../ui/basics.js";
import { useData } from "../../ui/data.js";
import { Dialog, confirm } from "../../ui/dialog.js";
import { Form } from "../../ui/form.js";
import { Icon } from "../../ui/icons.js";
import { attempt } from "../../ui/toast.js";
import { Section, Shown } from "../../ui/section.js";

const t = texts.account;
const MOST = { limit: 1000 };

export function Group({ id }) {
  const path = `/api/groups/${encodeURIComponent(id)}`;
  const of = useData((signal) => Promise.all([
    get(path, {}, { signal }),
    get(`${path}/members`, MOST, { signal }),
    get(`${path}/shares`, MOST, { signal }),
  ]), [id], ["groups", "shares"]);
  const [isRenaming, setRenaming] = useState(false);
  const act = async (work, { title, label, gone }) => {
    if (!await confirm(title, { label })) return;
    if (await attempt(work) && gone) go("account", "groups");
    else of.reload();
  };
  const back = html`<div class="page-back"><a href=${href("account", "groups")}><${Icon} name="left" />${t.groups}</a></div>`;
  if (!of.data) return html`<div class="stack">${back}<${Section} title=${t.group}><${Shown} of=${of} /><//></div>`;
  const [group, members, shares] = of.data;
  const isManager = group.role === "manager";
  return html`
    <div class="stack">${back}
      <div class="columns">
        <${Section} title=${group.name} lead=${isManager ? t.managerLead : t.memberLead} actions=${html`
          <div class="row">
            ${isManager && html`<${Button} small icon="edit" onClick=${() => setRenaming(true)}>${t.rename}<//>`}
            <${Button} small kind="danger" onClick=${() => act(() => remove(`${path}/membership`), { title: t.leaveGroup(group.name), label: t.leave, gone: true })}>${t.leave}<//>
            ${isManager && html`<${Button} small kind="danger" icon="trash" onClick=${() => act(() => remove(path), { title: t.deleteGroup(group.name), gone: true })}>${texts.actions.delete}<//>`}
          </div>
        `}>
          ${isManager && html`
            <${Form} send=${({ username }) => post(`${path}/members`, { username: username.trim() })} label=${t.invite}
              done=${(_, form) => { form.reset(); of.reload(); }} places=${{ username: /./ }} class="account-invite">
              ${(errors) => html`<${Field} label=${t.inviteName} name="username" autocomplete="off" hint=${t.inviteHint} error=${errors.username} required />`}
            <//>
          `}
          <ul class="list">${members.map((each) => html`
            <${Member} key=${each.user_id} of=${each} isManager=${isManager}
              setRole=${async (role) => { await attempt(() => patch(`${path}/members/${each.user_id}`, { role })); of.reload(); }}
              out=${() => act(() => remove(`${path}/members/${each.user_id}`), { title: t.removeMember(each.username), label: t.removeLabel })} />
          `)}</ul>
        <//>
        <${Section} title=${t.shared} lead=${t.sharedLead}>
          ${shares.length === 0 ? html`<p class="soft">${t.nothingShared}</p>` : html`
            <ul class="list">${shares.map((each) => html`
              <li key=${each.id} class="item">
                <div class="stack tight"><strong class="wrap">${each.name}</strong>
                  <span class="soft small wrap">${t.kinds[each.kind]} · ${each.owner === me.value?.username ? t.yours : each.owner}</span></div>
                ${each.owner === me.value?.username && html`<${Button} small onClick=${() => act(() => remove(`${path}/shares/${each.id}`), { title: t.unshareOne(each.name), label: t.unshare })}>${t.unshare}<//>`}
              </li>
            `)}</ul>
          `}
        <//>
      </div>
      ${isRenaming && html`
        <${Dialog} title=${t.rename} close=${() => setRenaming(false)}>
          <${Form} send=${({ name }) => patch(path, { name: name.trim() })} done=${() => { setRenaming(false); of.reload(); }} cancel=${() => setRenaming(false)}>
            ${(errors) => html`<${Field} label=${t.groupName} name="name" defaultValue=${group.name} autocomplete="off" error=${errors.name} required />`}
          <//>
        <//>
      `}
    </div>
  `;
}

function Member({ of, isManager, setRole, out }) {
  const isMe = of.username === me.value?.username;
  return html`
    <li class="item">
      <div class="row"><strong class="wrap">${of.username}</strong>
        <${Badge} kind=${{ manager: "accent", invited: "warn" }[of.role]}>${t.roles[of.role]}<//>${isMe && html`<span class="soft small">${t.you}</span>`}</div>
      ${isManager && !isMe && html`
        <div class="row">
          ${of.role === "member" && html`<${Button} small onClick=${() => setRole("manager")}>${t.makeManager}<//>`}
          ${of.role === "manager" && html`<${Button} small onClick=${() => setRole("member")}>${t.makeMember}<//>`}
          <${Button} small icon="close" label=${t.removeMember(of.username)} onClick=${out} />
        </div>
      `}
    </li>
  `;
}
