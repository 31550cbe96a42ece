// One user: what he may do, and what he has.
import { get, patch, remove } from "../../api.js";
import { html, useState } from "../../lib.js";
import { go, replace } from "../../router.js";
import { me } from "../../session.js";
import { texts } from "../../texts.js";
import { Button, Failed, Loading, Page, Tabs, Time } from "../../ui/basics.js";
import { useData, useInterval } from "../../ui/data.js";
import { confirm } from "../../ui/dialog.js";
import { attempt, toast } from "../../ui/toast.js";
import { Entries } from "../audit/entries.js";
import { Report } from "../usage/report.js";
import { Keys, SignIns } from "./access.js";
import { remember } from "./deletions.js";
import { LinkDialog, makeLink } from "./new-user.js";
import { Role, State } from "./users.js";
import { Agents, Requests } from "./work.js";

const words = texts.users;
const TABS = {
  "sign-ins": SignIns,
  keys: Keys,
  requests: Requests,
  agents: Agents,
  usage: ({ id }) => html`<${Report} userId=${id} />`,
  audit: ({ id }) => html`<${Entries} query=${{ user_id: id }} />`,
};

export function User({ id, query }) {
  const { data: user, error, reload } = useData((signal) => get(`/api/users/${encodeURIComponent(id)}`, {}, { signal }), [id]);
  useInterval(reload, 5000);
  const chosen = Object.hasOwn(TABS, query.tab ?? "") ? query.tab : "sign-ins";
  const Chosen = TABS[chosen];
  if (!user) return html`<${Page} title=${words.one} back="users">${error ? html`<${Failed} error=${error} again=${reload} />` : html`<${Loading} />`}<//>`;
  return html`
    <${Page} title=${user.username} actions=${html`<${Actions} user=${user} reload=${reload} />`} back="users">
      <div class="row page-about">
        <${Role} user=${user} /><${State} user=${user} />
        ${user.locked_at && html`<span class="soft small">${words.lockedSince} <${Time} at=${user.locked_at} /></span>`}
        <span class="soft small">${words.createdAt} <${Time} at=${user.created_at} /></span>
        <span class="soft small mono wrap">${user.id}</span>
      </div>
      <${Tabs} label=${user.username} tabs=${Object.keys(TABS).map((each) => [each, words.tabs[each]])} chosen=${chosen}
        choose=${(tab) => replace("users", id, { tab })} />
      <div class="stack" role="tabpanel" aria-label=${words.tabs[chosen]}><${Chosen} key=${chosen} id=${id} /></div>
    <//>
  `;
}

function Actions({ user, reload }) {
  const [link, setLink] = useState(null);
  const name = user.username;
  const change = (changes, done) => attempt(async () => {
    await patch(`/api/users/${user.id}`, changes);
    toast(done);
    await reload();
  });
  const isAdmin = user.role === "admin";
  const isOneself = user.id === me.value?.id;
  const lock = async () => {
    if (await confirm(words.lockAsk(name), { text: words.lockText, label: words.lock })) await change({ locked: true }, words.lockDone(name));
  };
  const switchRole = async () => {
    const said = isAdmin ? words.demote : words.promote;
    if (await confirm(said.ask(name), { text: said.text, label: said.label })) await change({ role: isAdmin ? "user" : "admin" }, said.done(name));
  };
  const leave = async () => {
    if (!await confirm(words.deleteAsk(name), { text: words.deleteText })) return;
    await attempt(async () => {
      await remove(`/api/users/${user.id}`);
      remember(user.id, name);
      go("users", "deletions");
    });
  };
  return html`
    <div class="row">
      ${!user.locked_at && html`<${Button} icon="link" onClick=${() => attempt(async () => setLink(await makeLink(user.id)))}>${words.link}<//>`}
      <${Button} onClick=${switchRole}>${isAdmin ? words.demote.label : words.promote.label}<//>
      ${user.locked_at
        ? html`<${Button} icon="lock" onClick=${() => change({ locked: false }, words.unlockDone(name))}>${words.unlock}<//>`
        : !isOneself && html`<${Button} icon="lock" onClick=${lock}>${words.lock}<//>`}
      ${!isOneself && html`<${Button} kind="danger" icon="trash" onClick=${leave}>${texts.actions.delete}<//>`}
    </div>
    ${link && html`<${LinkDialog} name=${name} link=${link} close=${() => setLink(null)} />`}
  `;
}
