// A model with its prompts, by which chats are answered.
import { get, patch, post, remove } from "../../api.js";
import { html, useState } from "../../lib.js";
import { texts } from "../../texts.js";
import { Badge, Button, Field, duration } from "../../ui/basics.js";
import { useData } from "../../ui/data.js";
import { Dialog, confirm } from "../../ui/dialog.js";
import { Form, wrong } from "../../ui/form.js";
import { Pairs, pairsOf } from "../../ui/pairs.js";
import { Shown } from "../../ui/section.js";
import { attempt } from "../../ui/toast.js";

const t = texts.models;
const PATH = "/api/llm/model/config";

// One that is somebody else's has neither `edit` nor `share`.
export function Config({ of, provider, reload, edit, share }) {
  const end = async () => {
    if (!await confirm(t.deleteOne(of.name))) return;
    await attempt(() => remove(`${PATH}/${of.id}`));
    reload();
  };
  const [tried, setTried] = useState({}); // {isBusy, found, error}
  const tryIt = async () => {
    setTried({ isBusy: true });
    try {
      setTried({ found: await post(`${PATH}/${of.id}/try`) });
    } catch (error) {
      setTried({ error });
    }
  };
  return html`
    <li class="item">
      <div class="stack tight">
        <strong class="wrap">${of.name}</strong>
        <div class="soft small wrap">${of.owner ? `${of.owner} · ${provider} · ` : ""}${of.model} · ${t.degrees(of.temperature)} · ${t.history(of.max_last_messages)}</div>
        <div role="status"><${Tried} ...${tried} /></div>
      </div>
      ${edit && html`
        <div class="row">
          <${Button} small icon="play" busy=${tried.isBusy} onClick=${tryIt}>${t.tryIt}<//>
          <${Button} small icon="users" onClick=${share}>${texts.share.share}<//>
          <${Button} small icon="edit" label=${t.editOne(of.name)} onClick=${edit} />
          <${Button} small icon="trash" label=${t.deleteOne(of.name)} onClick=${end} />
        </div>
      `}
    </li>
  `;
}

function Tried({ found, error }) {
  if (error) return html`<${Badge} kind="bad">${error.message}<//>`;
  if (!found) return null;
  const kind = !found.works ? "bad" : found.has_model === false ? "warn" : "good";
  return html`<span class="models-tried"><${Badge} kind=${kind}>${found.reason}<//> <span class="soft small">${duration(found.seconds)}</span></span>`;
}

export function ConfigForm({ of, provider, close, done }) {
  const prompt = useData((signal) => get("/api/llm/model/prompt", {}, { signal }));
  const send = (values, form) => {
    const temperature = numberIn(values.temperature, "temperature");
    const body = {
      name: values.name,
      model: values.model.trim(),
      system_prompt: values.system_prompt,
      user_prompt: values.user_prompt,
      max_last_messages: numberIn(values.max_last_messages, "max_last_messages") ?? 5,
      credentials: pairsOf(form, "credentials", of?.credentials),
      ...(temperature === undefined ? {} : { temperature }),
    };
    return of ? patch(`${PATH}/${of.id}`, body) : post(PATH, { ...body, provider });
  };
  return html`
    <${Dialog} title=${of ? of.name : t.newConfigOf(provider)} close=${close} wide>
      <${Shown} of=${prompt}>${({ system_prompt: usual }) => html`
        <${Form} send=${send} done=${done} cancel=${close} places=${{ name: /^Config / }}>
          ${(errors) => html`
            <div class="models-fields">
              <${Field} label=${t.name} name="name" defaultValue=${of?.name ?? ""} hint=${t.nameHint} autocomplete="off" error=${errors.name} required autofocus />
              <${Field} label=${t.model} name="model" defaultValue=${of?.model ?? ""} hint=${t.modelHint} autocomplete="off" spellcheck=${false} error=${errors.model} required />
              <${Field} label=${t.temperature} name="temperature" inputmode="decimal" defaultValue=${of?.temperature ?? "0.7"} hint=${t.temperatureHint} autocomplete="off" error=${errors.temperature} />
              <${Field} label=${t.lastMessages} name="max_last_messages" inputmode="numeric" defaultValue=${of?.max_last_messages ?? "5"} hint=${t.lastMessagesHint} autocomplete="off" error=${errors.max_last_messages} />
            </div>
            <${Field} as="textarea" label=${t.systemPrompt} name="system_prompt" rows="5" hint=${t.systemPromptHint}
              defaultValue=${of && of.system_prompt !== usual ? of.system_prompt : ""} error=${errors.system_prompt} />
            <${Usual} prompt=${usual} />
            <${Field} as="textarea" label=${t.userPrompt} name="user_prompt" rows="2" defaultValue=${of?.user_prompt ?? ""} hint=${t.userPromptHint} error=${errors.user_prompt} />
            <${Pairs} label=${t.credentials} name="credentials" initial=${of?.credentials} secret hint=${t.credentialsHint} error=${errors.credentials} />
          `}
        <//>
      `}<//>
    <//>
  `;
}

function Usual({ prompt }) {
  const begin = (event) => {
    const field = event.currentTarget.form.elements.system_prompt;
    field.value = prompt;
    field.focus();
  };
  return html`
    <details class="models-usual">
      <summary>${t.usualPrompt}</summary>
      <div class="stack"><p class="models-prompt">${prompt}</p><div><${Button} small icon="edit" onClick=${begin}>${t.beginWithIt}<//></div></div>
    </details>
  `;
}

// undefined where nothing was typed.
function numberIn(text, name) {
  if (!text.trim()) return undefined;
  const number = Number(text.replace(",", "."));
  if (!Number.isFinite(number)) throw wrong(name, t.noNumber);
  return number;
}
