// Where a user is signed in and which API keys he has; both can be ended.
import { remove } from "../../api.js";
import { html } from "../../lib.js";
import { texts } from "../../texts.js";
import { Badge, Button, Empty, Time } from "../../ui/basics.js";
import { confirm } from "../../ui/dialog.js";
import { attempt } from "../../ui/toast.js";
import { device } from "../shared/device.js";
import { List, usePages } from "../shared/pages.js";

const words = texts.users;

export function SignIns({ id }) {
  const path = `/api/users/${encodeURIComponent(id)}/sign-ins`;
  const pages = usePages(path);
  const end = (which) => attempt(async () => {
    await remove(which ? `${path}/${which}` : path);
    await pages.reload();
  });
  const endAll = async () => { if (await confirm(words.endAllAsk, { text: words.endAllText, label: words.endAll })) await end(); };
  const columns = [
    [words.device, (each) => html`<span class="wrap" title=${each.device}>${device(each.device ?? "")}</span>`],
    [words.method, (each) => each.method],
    [words.address, (each) => html`<span class="mono">${each.address}</span>`],
    [words.used, (each) => html`<${Time} at=${each.used_at} />`],
    [words.since, (each) => html`<${Time} at=${each.created_at} />`],
    [words.ends, (each) => html`<${Time} at=${each.expires_at} />`],
    [words.act, (each) => html`<${Button} small onClick=${() => end(each.id)}>${words.end}<//>`],
  ];
  return html`
    ${pages.items?.length > 1 && html`<div class="row"><${Button} small onClick=${endAll}>${words.endAll}<//></div>`}
    <${List} pages=${pages} label=${words.tabs["sign-ins"]} columns=${columns} empty=${html`<${Empty} icon="account" title=${words.noSignIns} />`} />
  `;
}

export function Keys({ id }) {
  const path = `/api/users/${encodeURIComponent(id)}/keys`;
  const pages = usePages(path);
  const revoke = async (key) => {
    if (!await confirm(words.revokeAsk(key.name), { text: words.revokeText, label: words.revoke })) return;
    await attempt(async () => {
      await remove(`${path}/${key.id}`);
      await pages.reload();
    });
  };
  const columns = [
    [words.name, (key) => html`<span class="wrap">${key.name}</span><div class="mono soft">${key.start}…</div>`],
    [words.scopes, (key) => html`<div class="row">${key.scopes.map((each) => html`<${Badge} key=${each}>${each}<//>`)}</div>`],
    [words.networks, (key) => (key.networks.length ? html`<span class="mono wrap">${key.networks.join(", ")}</span>` : words.everywhere)],
    [words.used, (key) => html`<${Time} at=${key.used_at} />${key.used_address && html`<div class="mono soft">${key.used_address}</div>`}`],
    [words.created, (key) => html`<${Time} at=${key.created_at} />`],
    [words.ends, (key) => (key.expires_at ? html`<${Time} at=${key.expires_at} />` : words.never)],
    [words.act, (key) => html`<${Button} small kind="danger" onClick=${() => revoke(key)}>${words.revoke}<//>`],
  ];
  return html`<${List} pages=${pages} label=${words.tabs.keys} columns=${columns} empty=${html`<${Empty} icon="key" title=${words.noKeys} />`} />`;
}
