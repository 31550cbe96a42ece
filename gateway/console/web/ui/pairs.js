// Names and values, as many as one likes: fields of a form, read by `pairsOf`.
import { html, useId, useState } from "../lib.js";
import { texts } from "../texts.js";
import { Button } from "./basics.js";

const t = texts.pairs;
const asText = (value) => (typeof value === "string" ? value : JSON.stringify(value));
let next = 0;
const row = (name = "", value = "", isKept = false) => ({ id: next++, name, value, isKept });

// `initial` is {name: value}; of those in `kept` the values are not known, and stay where none is typed.
export function Pairs({ label, name, initial = {}, kept = [], hint, error, secret }) {
  const id = useId();
  const [rows, setRows] = useState(() => [
    ...kept.map((each) => row(each, "", true)),
    ...Object.entries(initial).map(([key, value]) => row(key, asText(value))),
  ]);
  const told = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ") || undefined;
  return html`
    <fieldset class="field" aria-describedby=${told}>
      <legend class="field-label">${label}</legend>
      ${rows.map((each, at) => html`
        <div key=${each.id} class="pair">
          <input class="input" name=${`${name}.name`} defaultValue=${each.name} readonly=${each.isKept} placeholder=${t.name}
            aria-label=${t.nameOf(label, at + 1)} aria-invalid=${error ? "true" : undefined} autocomplete="off" spellcheck=${false} />
          <input class="input" name=${`${name}.value`} defaultValue=${each.value} type=${secret ? "password" : "text"} placeholder=${each.isKept ? t.kept : t.value}
            aria-label=${t.valueOf(label, at + 1)} autocomplete=${secret ? "new-password" : "off"} spellcheck=${false} />
          <${Button} kind="plain" icon="close" label=${t.remove(each.name || at + 1)} onClick=${() => setRows(rows.filter(({ id: other }) => other !== each.id))} />
        </div>
      `)}
      <div><${Button} small icon="plus" onClick=${() => setRows([...rows, row()])}>${t.add}<//></div>
      ${hint && html`<div class="field-hint" id=${`${id}-hint`}>${hint}</div>`}
      ${error && html`<div class="field-error" id=${`${id}-error`}>${error}</div>`}
    </fieldset>
  `;
}

// {name: value} of such fields. What was no text before, and is the same still, stays what it was.
export function pairsOf(form, name, initial = {}) {
  const data = new FormData(form);
  const values = data.getAll(`${name}.value`);
  const pairs = data.getAll(`${name}.name`).map((each, at) => [each.trim(), values[at]]);
  return Object.fromEntries(pairs.filter(([each]) => each).map(([each, value]) => [
    each, each in initial && asText(initial[each]) === value ? initial[each] : value,
  ]));
}
