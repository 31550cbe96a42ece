// The tools of an MCP server, with what they take.
import { html } from "../../lib.js";
import { href } from "../../router.js";
import { texts } from "../../texts.js";
import { Badge, Button, Copy } from "../../ui/basics.js";
import { Section } from "../../ui/section.js";

const t = texts.servers;
const HINTS = [["readOnlyHint", true, "good", t.readOnly], ["destructiveHint", true, "warn", t.destructive]];

export function Tools({ tools }) {
  return html`
    <${Section} title=${t.tools(tools.length)}>
      ${tools.length === 0 ? html`<p class="soft">${t.noTools}</p>` : html`
        <ul class="list">${tools.map((tool) => html`<${Tool} key=${tool.id} of=${tool} />`)}</ul>
      `}
    <//>
  `;
}

function Tool({ of }) {
  const { name, description, annotations, inputSchema: schema } = of;
  const text = JSON.stringify(schema, null, 2);
  const required = Array.isArray(schema.required) ? schema.required : [];
  const fields = Object.entries(schema.properties ?? {});
  return html`
    <li class="servers-tool">
      <div class="row"><strong class="mono wrap">${name}</strong>
        ${annotations?.title && html`<span class="soft wrap">${annotations.title}</span>`}
        ${HINTS.filter(([hint, value]) => annotations?.[hint] === value).map(([hint, , mood, says]) => html`<${Badge} key=${hint} kind=${mood}>${says}<//>`)}
        ${of.newer_only && html`<${Badge} kind="warn">${t.newerOnly}<//>`}
        <${Button} small kind="plain" href=${href("agents", of.id, { kind: "mcp", tab: "ask" })}>${t.askIt}<span class="unseen"> ${name}</span><//></div>
      ${description && html`<p class="servers-text">${description}</p>`}
      ${fields.length > 0 && html`
        <dl class="facts servers-fields">${fields.map(([field, rule]) => html`
          <dt key=${field} class="mono">${field}${required.includes(field) ? "" : "?"}</dt>
          <dd>${[typeOf(rule), rule?.description].filter(Boolean).join(" · ")}</dd>
        `)}</dl>
      `}
      <details class="servers-more">
        <summary>${t.schema}</summary>
        <div class="stack"><pre class="code" tabindex="0">${text}</pre><div><${Copy} text=${text} /></div></div>
      </details>
    </li>
  `;
}

function typeOf(rule) {
  if (rule === null || typeof rule !== "object") return "";
  if (Array.isArray(rule.enum)) return rule.enum.map((each) => JSON.stringify(each)).join(" | ");
  const types = rule.type ?? (rule.anyOf ?? rule.oneOf)?.map((each) => each?.type ?? "…");
  return [types ?? []].flat().join(" | ");
}
