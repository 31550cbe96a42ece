// A new agent, from its name to the moment when it is there.
import { get, post } from "../../api.js";
import { html, useState } from "../../lib.js";
import { href } from "../../router.js";
import { texts } from "../../texts.js";
import { Button, Field, Page, Spinner } from "../../ui/basics.js";
import { useData } from "../../ui/data.js";
import { Form } from "../../ui/form.js";
import { ExpiresIn, Token, expiresIn } from "./token.js";

const t = texts.agents;

export function Connect() {
  const [issued, setIssued] = useState(null);
  const send = ({ name, description, expires_in }) => post("/api/agents/register", {
    name, description, input_parameters: {}, expires_in: expiresIn(expires_in),
  });
  return html`
    <${Page} title=${t.connect} lead=${issued ? undefined : t.connectLead} back="agents">
      ${issued ? html`
        <${Waiting} id=${issued.id} />
        <section class="card"><${Token} issued=${issued} /></section>
      ` : html`
        <section class="card agents-narrow">
          <${Form} send=${send} done=${setIssued} label=${t.register}>
            ${(errors) => html`
              <${Field} label=${t.name} name="name" hint=${t.nameHint} maxlength="55" autocomplete="off" error=${errors.name} />
              <${Field} as="textarea" label=${t.description} name="description" hint=${t.descriptionHint} error=${errors.description} />
              <${ExpiresIn} error=${errors.expires_in} />
            `}
          <//>
        </section>
      `}
    <//>
  `;
}

// What the agent does before one's eyes.
function Waiting({ id }) {
  const { data } = useData((signal) => get(`/api/agents/${encodeURIComponent(id)}`, {}, { signal }), [id], ["agents"]);
  const [wasThere, setThere] = useState(false);
  const isThere = data?.is_active ?? false;
  if (isThere && !wasThere) setThere(true);
  return html`
    <section class=${`card row row-between agents-waiting ${isThere ? "is-there" : ""}`} role="status" aria-live="polite">
      <div class="row">
        ${isThere ? html`<span class="agents-dot"></span>` : html`<${Spinner} />`}
        <div>
          <h2 class="wrap">${isThere ? t.isThere(data.agent_name || t.unnamed) : wasThere ? t.wentAway : t.waiting}</h2>
          <p class="soft wrap">${isThere ? data.agent_description : t.waitingText}</p>
        </div>
      </div>
      <${Button} kind=${isThere ? "primary" : undefined} href=${href("agents", id, isThere ? { tab: "ask" } : {})}>${isThere ? t.askIt : t.toAgent}<//>
    </section>
  `;
}
