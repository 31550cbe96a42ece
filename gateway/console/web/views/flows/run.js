// A flow that is asked: itself, where it has agents alone, else through the master agent, which can call all kinds.
import { post } from "../../api.js";
import { html } from "../../lib.js";
import { href } from "../../router.js";
import { texts } from "../../texts.js";
import { Field } from "../../ui/basics.js";
import { Asked } from "../../ui/asked.js";
import { Form } from "../../ui/form.js";
import { uuid } from "../../uuid.js";
import { saidBy } from "./progress.js";

const t = texts.flows;

export function Run({ flow, members, asking, isChanged }) {
  const things = members.map(({ thing }) => thing);
  const isDirect = things.every(({ kind }) => kind === "genai");
  const send = ({ message }) => asking.ask(() => (isDirect
    ? post(`/api/agentflows/${flow.id}/invoke?wait=0`, { message })
    : post(`/api/sessions/${uuid()}/messages`, { message: t.throughMaster(flow.name, message) })));
  const names = new Map(things.map(({ id, name }) => [id, name]));
  const said = asking.answer ? saidBy(things, asking.answer.response.agents_trace) : [];
  return html`
    <section class="card stack flows-run" aria-label=${t.run}>
      <h2>${t.run}</h2>
      ${!isDirect && html`<p class="soft small">${t.masterText}</p>`}
      ${isChanged && html`<p class="soft small">${t.asStored}</p>`}
      <${Form} send=${send} label=${t.run}>
        ${(errors) => html`<${Field} as="textarea" rows="2" label=${t.message} name="message" error=${errors.message} required />`}
      <//>
    </section>
    <${Asked} asking=${asking} nameOf=${(id) => names.get(id) ?? texts.requests.master} />
    ${said.some(Boolean) && html`
      <section class="card stack"><h2>${t.steps}</h2>
        <ol class="stack">${said.map((text, at) => text !== null && html`
          <li key=${at} class="flows-step"><a href=${href("agents", things[at].id, things[at].kind === "genai" ? {} : { kind: things[at].kind })}>${things[at].name || t.unknown}</a>
            <span class="wrap">${text}</span></li>
        `)}</ol>
      </section>
    `}
  `;
}
