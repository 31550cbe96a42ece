// One agent, tool or A2A agent: what it is, what it does when it is asked, and what became of that.
import { remove } from "../../api.js";
import { html, useState } from "../../lib.js";
import { go, href, replace } from "../../router.js";
import { texts } from "../../texts.js";
import { Button, Empty, Failed, Loading, Page, Tabs } from "../../ui/basics.js";
import { useAsking } from "../../ui/asking.js";
import { useData } from "../../ui/data.js";
import { confirm } from "../../ui/dialog.js";
import { Share } from "../../ui/share.js";
import { attempt, toast } from "../../ui/toast.js";
import { Ask } from "./ask.js";
import { AskOutside, useOutsideAnswer } from "./ask-outside.js";
import { Kind, State } from "./badges.js";
import { Edit } from "./edit.js";
import { NewToken } from "./token.js";
import { Overview } from "./overview.js";
import { Past } from "./past.js";
import { Publish } from "./publish.js";
import { KINDS, loadThing } from "./things.js";

const t = texts.agents;

export function Detail({ id, query }) {
  const { kind = "genai", tab = "overview" } = query;
  const { data: thing, error, isLoading, reload } = useData((signal) => loadThing(kind, id, signal), [kind, id], KINDS);
  const [dialog, open] = useState(null);
  const asking = useAsking();
  const outside = useOutsideAnswer();
  if (!thing) {
    return html`<${Page} title=${texts.nav.agents} back="agents">
      ${isLoading ? html`<${Loading} />` : error ? html`<${Failed} error=${error} again=${reload} />`
        : html`<${Empty} icon="agents" title=${t.gone} action=${html`<${Button} href=${href("agents")}>${texts.actions.back}<//>`} />`}
    <//>`;
  }
  const isMine = !thing.owner;
  const isAgent = thing.kind === "genai";
  const tabs = [["overview", t.tabs.overview], ["ask", t.tabs.ask], ...(isAgent ? [["requests", t.tabs.requests], ["log", t.tabs.log]] : [])];
  const choose = (chosen) => replace("agents", id, { ...query, tab: chosen });
  const actions = isMine && html`
    <div class="row">
      ${isAgent && html`<${Button} icon="edit" onClick=${() => open("edit")}>${texts.actions.edit}<//>`}
      ${isAgent && html`<${Button} icon="key" onClick=${() => open("token")}>${t.newToken}<//>`}
      ${isAgent && html`<${Button} icon="link" onClick=${() => open("publish")}>${t.publish}<//>`}
      ${thing.kind !== "mcp" && html`<${Button} icon="users" onClick=${() => open("share")}>${t.share}<//>`}
      ${isAgent && html`<${Button} kind="danger" icon="trash" onClick=${() => drop(thing)}>${texts.actions.delete}<//>`}
    </div>
  `;
  const close = () => open(null);
  return html`
    <${Page} title=${thing.name || t.unnamed} actions=${actions} back="agents">
      <div class="row page-about"><${State} thing=${thing} withTime /><${Kind} kind=${thing.kind} />
        ${thing.owner && html`<span class="soft small">${t.sharedBy(thing.owner)}</span>`}
      </div>
      <${Tabs} tabs=${tabs} chosen=${tab} choose=${choose} label=${thing.name || t.unnamed} />
      <div role="tabpanel" aria-label=${tabs.find(([each]) => each === tab)?.[1]}>
        ${tab === "ask" && isAgent ? html`<${Ask} key=${JSON.stringify(thing.parameters)} thing=${thing} asking=${asking} />`
          : tab === "ask" ? html`<${AskOutside} key=${JSON.stringify(thing.parameters)} thing=${thing} outside=${outside} />`
            : tab === "requests" && isAgent ? html`<${Past} thing=${thing} />`
              : tab === "log" && isAgent ? html`<${Past} thing=${thing} withLogs />`
                : html`<${Overview} thing=${thing} />`}
      </div>
      ${dialog === "edit" && html`<${Edit} thing=${thing} close=${close} done=${reload} />`}
      ${dialog === "token" && html`<${NewToken} thing=${thing} close=${close} done=${reload} />`}
      ${dialog === "publish" && html`<${Publish} thing=${thing} close=${close} />`}
      ${dialog === "share" && html`<${Share} kind=${isAgent ? "agent" : "a2a_agent"} id=${id} name=${thing.name || t.unnamed} close=${close} />`}
    <//>
  `;
}

async function drop(thing) {
  if (!(await confirm(t.deleteTitle(thing.name || t.unnamed), { text: t.deleteText }))) return;
  if (await attempt(() => remove(`/api/agents/${thing.id}`))) {
    toast(t.deleted);
    go("agents");
  }
}
