// A form made of a JSON schema; what no field fits is typed as JSON.
import { html, useMemo, useState } from "../lib.js";
import { texts } from "../texts.js";
import { Button, Field } from "./basics.js";
import { draftOf, shapeOf, valueOf } from "./schema.js";

// `send(value)` gets what the schema describes; `schema` is that of an object. What it throws is said below,
// and at the fields that it names.
export function SchemaForm({ schema, send, label, isBusy, children }) {
  const text = JSON.stringify(schema);
  const shape = useMemo(() => shapeOf(schema), [text]);
  const [draft, setDraft] = useState(() => draftOf(shape));
  const [raw, setRaw] = useState(null); // all of it as JSON, where that is how it is typed
  const [errors, setErrors] = useState({});
  const [problem, setProblem] = useState(null);

  const submit = async (event) => {
    event.preventDefault();
    const form = event.currentTarget;
    const found = {};
    const value = raw === null ? valueOf(shape, draft, true, found) : valueOf({ kind: "json" }, raw, true, found, ["raw"]);
    setErrors(found);
    setProblem(null);
    if (Object.keys(found).length === 0) {
      try {
        await send(value);
        return;
      } catch (error) {
        setErrors(named(error, shape));
        setProblem(error);
      }
    }
    requestAnimationFrame(() => form.querySelector('[aria-invalid="true"]')?.focus());
  };
  const toggle = () => {
    if (raw === null) {
      setRaw(JSON.stringify(valueOf(shape, draft, true, {}), null, 2));
    } else {
      try {
        setDraft(draftOf(shape, JSON.parse(raw)));
      } catch (error) {
        setErrors({ raw: texts.schema.json(error.message) });
        return;
      }
      setRaw(null);
    }
    setErrors({});
  };
  return html`
    <form class="form" onSubmit=${submit} novalidate>
      ${raw === null
        ? html`<${Fields} shape=${shape} draft=${draft} change=${setDraft} errors=${errors} path=${[]} />`
        : html`<${Field} as="textarea" class="mono" rows="8" label=${texts.schema.raw} value=${raw} error=${errors.raw} spellcheck=${false}
            onInput=${(event) => setRaw(event.currentTarget.value)} />`}
      ${children}
      ${problem && html`<div class="form-error wrap" role="alert">${problem.message}</div>`}
      <div class="form-actions">
        <${Button} kind="plain" onClick=${toggle}>${raw === null ? texts.schema.asJson : texts.schema.asFields}<//>
        <${Button} type="submit" kind="primary" busy=${isBusy}>${label}<//>
      </div>
    </form>
  `;
}

// The fields that a refusal names: "The agent dice requires 'sides'".
function named(error, shape) {
  const words = new Set([...error.message.matchAll(/'([^']+)'/g)].map(([, name]) => name));
  return Object.fromEntries(shape.fields.filter(({ name }) => words.has(name)).map(({ name }) => [name, error.message]));
}

const Fields = ({ shape, draft, change, errors, path }) => shape.fields.length === 0
  ? html`<p class="soft">${texts.schema.nothing}</p>`
  : shape.fields.map(({ name, shape: each, isRequired }) => html`
    <${Entry} key=${name} name=${name} shape=${each} isRequired=${isRequired} draft=${draft[name]} errors=${errors} path=${[...path, name]}
      change=${(value) => change({ ...draft, [name]: value })} />
  `);

function Entry({ name, shape, isRequired, draft, change, errors, path }) {
  const label = html`${name}${!isRequired && html`<span class="schema-optional"> ${texts.schema.optional}</span>`}`;
  const at = path.join(".");
  if (shape.kind === "group" || shape.kind === "list") {
    return html`
      <fieldset class="schema-group">
        <legend class="field-label">${label}</legend>
        ${shape.description && html`<p class="field-hint">${shape.description}</p>`}
        ${shape.kind === "group"
          ? html`<${Fields} shape=${shape} draft=${draft} change=${change} errors=${errors} path=${path} />`
          : html`<${Items} name=${name} shape=${shape} draft=${draft} change=${change} errors=${errors} path=${path} />`}
        ${errors[at] && html`<div class="field-error">${errors[at]}</div>`}
      </fieldset>
    `;
  }
  const common = {
    label, name: at, hint: shape.description, error: errors[at], value: draft, required: isRequired,
    onInput: (event) => change(event.currentTarget.value),
  };
  if (shape.kind === "flag") return html`<${Select} ...${common} options=${[["true", texts.schema.yes], ["false", texts.schema.no]]} />`;
  if (shape.kind === "choice") return html`<${Select} ...${common} options=${shape.options.map((each, index) => [String(index), typeof each === "string" ? each : JSON.stringify(each)])} />`;
  if (shape.kind === "number") return html`<${Field} ...${common} inputmode=${shape.isWhole ? "numeric" : "decimal"} autocomplete="off" />`;
  if (shape.kind === "json") return html`<${Field} ...${common} as="textarea" class="mono" spellcheck=${false} placeholder="JSON" />`;
  return shape.type ? html`<${Field} ...${common} type=${shape.type} />` : html`<${Field} ...${common} as="textarea" class="schema-text" rows="1" />`;
}

const Select = ({ options, ...common }) => html`
  <${Field} as="select" ...${common}>
    <option value="">${texts.schema.choose}</option>
    ${options.map(([value, shown]) => html`<option key=${value} value=${value}>${shown}</option>`)}
  <//>
`;

const Items = ({ name, shape, draft, change, errors, path }) => html`
  ${draft.map((each, at) => html`
    <div class="schema-item" key=${at}>
      <${Entry} name=${`${name} ${at + 1}`} shape=${shape.item} isRequired draft=${each} errors=${errors} path=${[...path, at]}
        change=${(value) => change(draft.with(at, value))} />
      <${Button} kind="plain" icon="trash" label=${texts.schema.removeItem(name, at + 1)} onClick=${() => change(draft.toSpliced(at, 1))} />
    </div>
  `)}
  <div><${Button} small icon="plus" onClick=${() => change([...draft, draftOf(shape.item)])}>${texts.schema.addItem(name)}<//></div>
`;
