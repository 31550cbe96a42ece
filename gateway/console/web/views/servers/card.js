// What the card of an A2A agent says.
import { html } from "../../lib.js";
import { href } from "../../router.js";
import { texts } from "../../texts.js";
import { Button, Copy } from "../../ui/basics.js";
import { Section } from "../../ui/section.js";

const t = texts.servers;
const listed = (value) => (Array.isArray(value) ? value.filter((each) => typeof each === "string").join(", ") : "");

export function Card({ agent }) {
  const card = agent.card_content ?? {};
  const skills = (Array.isArray(card.skills) ? card.skills : []).filter((each) => each && typeof each === "object");
  const text = JSON.stringify(card, null, 2);
  return html`
    <${Section} title=${t.skills(skills.length)} actions=${html`<${Button} small kind="plain" href=${href("agents", agent.id, { kind: "a2a", tab: "ask" })}>${t.askIt}<//>`}>
      ${skills.length === 0 && html`<p class="soft">${t.noSkills}</p>`}
      <ul class="list">${skills.map((skill, at) => html`
        <li key=${skill.id ?? at} class="servers-tool">
          <div class="row"><strong class="wrap">${String(skill.name ?? skill.id ?? "")}</strong><span class="soft small">${listed(skill.tags)}</span></div>
          ${skill.description && html`<p class="servers-text">${String(skill.description)}</p>`}
          ${listed(skill.examples) && html`<p class="soft small wrap">${t.examples}: ${listed(skill.examples)}</p>`}
        </li>
      `)}</ul>
      <details class="servers-more">
        <summary>${t.card}</summary>
        <div class="stack"><pre class="code" tabindex="0">${text}</pre><div><${Copy} text=${text} /></div></div>
      </details>
    <//>
    ${agent.interfaces?.length > 0 && html`
      <${Section} title=${t.interfaces}>
        <ul class="list">${agent.interfaces.map((each, at) => html`
          <li key=${at} class="item"><span class="wrap">${each.url}</span><span class="soft">${each.protocolBinding} ${each.protocolVersion}</span></li>
        `)}</ul>
      <//>
    `}
  `;
}
