// One server: its state, what it says of itself, what it can do, and what was left out of that.
import { get, patch, remove } from "../../api.js";
import { html, useState } from "../../lib.js";
import { go } from "../../router.js";
import { texts } from "../../texts.js";
import { Badge, Button, Page, Time } from "../../ui/basics.js";
import { useData } from "../../ui/data.js";
import { confirm } from "../../ui/dialog.js";
import { Section, Shown } from "../../ui/section.js";
import { Share } from "../../ui/share.js";
import { attempt, toast } from "../../ui/toast.js";
import { ChangeSent } from "./add.js";
import { Card } from "./card.js";
import { KINDS, isLink, statesOf } from "./kinds.js";
import { LogIn } from "./log-in.js";
import { Tools } from "./tools.js";

const t = texts.servers;

export function Server({ kind, id, asksLogIn }) {
  const { path, nameOf, leftOut, share } = KINDS[kind];
  const of = useData((signal) => get(`${path}/${encodeURIComponent(id)}`, {}, { signal }), [id], ["servers"]);
  const [open, setOpen] = useState(asksLogIn ? "log-in" : null);
  const [looked, setLooked] = useState({}); // {isBusy, error}
  if (!of.data) return html`<${Page} title=${texts.nav.servers} back="servers"><${Shown} of=${of} /><//>`;
  const server = of.data;
  const left = leftOut(server);
  const lookUp = async () => {
    setLooked({ isBusy: true });
    try {
      await patch(`${path}/${id}`, {});
      setLooked({});
      toast(t.answers);
    } catch (error) {
      setLooked({ error });
    }
    of.reload();
  };
  const end = async () => {
    if (!await confirm(t.deleteOne(nameOf(server)), { text: t.deleteText })) return;
    if (await attempt(() => remove(`${path}/${id}`))) go("servers");
  };
  const close = () => setOpen(null);
  const changed = () => { close(); setLooked({}); of.reload(); };
  return html`
    <${Page} title=${nameOf(server)} back="servers" actions=${!server.shared && html`
      <div class="row">
        <${Button} icon="again" busy=${looked.isBusy} onClick=${lookUp}>${t.lookUpAgain}<//>
        ${server.authorization && html`<${Button} icon="key" kind=${server.authorization === "wanted" ? "primary" : ""} onClick=${() => setOpen("log-in")}>${t.logIn}<//>`}
        <${Button} icon="lock" onClick=${() => setOpen("sent")}>${t.sent}<//>
        <${Button} icon="users" onClick=${() => setOpen("share")}>${texts.share.share}<//>
        <${Button} kind="danger" icon="trash" onClick=${end}>${texts.actions.delete}<//>
      </div>
    `}>
      ${looked.error && html`<div class="form-error wrap" role="alert">${looked.error.message}</div>`}
      <${Section} title=${t.about} actions=${html`<div class="row">${statesOf(server).map(([mood, says]) => html`<${Badge} kind=${mood}>${says}<//>`)}</div>`}>
        ${server.lacking && html`<p class="servers-warning">${server.lacking}</p>`}
        <${About} server=${server} />
      <//>
      ${kind === "mcp" ? html`<${Tools} tools=${server.mcp_tools} />` : html`<${Card} agent=${server} />`}
      ${left && html`
        <${Section} title=${t.leftOut} lead=${t.leftOutLead}>
          <ul class="list">${left.parts.map(({ name, reason }, at) => html`
            <li key=${at} class="item"><strong class="wrap">${name}</strong><span class="soft wrap">${reason}</span></li>
          `)}</ul>
          ${left.count > left.parts.length && html`<p class="soft">${t.more(left.count - left.parts.length)}</p>`}
        <//>
      `}
      ${open === "sent" && html`<${ChangeSent} kind=${kind} server=${server} close=${close} done=${changed} />`}
      ${open === "share" && html`<${Share} kind=${share} id=${id} name=${nameOf(server)} close=${close} />`}
      ${open === "log-in" && html`<${LogIn} server=${server} reload=${of.reload} close=${changed} />`}
    <//>
  `;
}

function About({ server }) {
  const said = server.server_info ?? {};
  const facts = [
    [t.address, server.server_url],
    [t.cardUrl, server.card_url],
    [t.said, said.description ?? server.description],
    [t.version, said.version ?? server.card_content?.version],
    [t.protocol, said.protocolVersion],
    [t.website, isLink(said.websiteUrl) && html`<a href=${said.websiteUrl} target="_blank" rel="noopener noreferrer">${said.websiteUrl}</a>`],
    [t.alias, server.alias],
    [t.owner, server.owner],
    [t.headersSent, server.header_names?.join(", ")],
    [t.added, html`<${Time} at=${server.created_at} />`],
    [t.changed, html`<${Time} at=${server.updated_at} />`],
  ];
  return html`
    <dl class="facts">${facts.filter(([, value]) => value).map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>
    ${said.instructions && html`<details class="servers-more"><summary>${t.instructions}</summary><p class="servers-text">${said.instructions}</p></details>`}
  `;
}
