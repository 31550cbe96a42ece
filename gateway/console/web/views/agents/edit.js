// What the owner says of an agent, until it says otherwise itself.
import { patch } from "../../api.js";
import { html } from "../../lib.js";
import { texts } from "../../texts.js";
import { Field } from "../../ui/basics.js";
import { Dialog } from "../../ui/dialog.js";
import { Form } from "../../ui/form.js";
import { ApiError } from "../../api.js";

const t = texts.agents;

export function Edit({ thing, close, done }) {
  const send = ({ name, description, input_parameters }) => patch(`/api/agents/${thing.id}`, {
    name, description, input_parameters: parsed(input_parameters),
  });
  const finish = () => { close(); done(); };
  return html`
    <${Dialog} title=${t.editTitle} close=${close} wide>
      <${Form} send=${send} done=${finish} cancel=${close}>
        ${(errors) => html`
          <p class="soft">${t.editText}</p>
          <${Field} label=${t.name} name="name" defaultValue=${thing.name} maxlength="55" error=${errors.name} />
          <${Field} as="textarea" label=${t.description} name="description" defaultValue=${thing.description} error=${errors.description} />
          <${Field} as="textarea" class="mono agents-json" label=${t.schema} name="input_parameters" spellcheck=${false}
            defaultValue=${JSON.stringify(thing.schema, null, 2)} error=${errors.input_parameters} />
        `}
      <//>
    <//>
  `;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    const message = texts.schema.json(error.message);
    throw new ApiError(0, message, { input_parameters: message });
  }
}
