// A form that sends itself, and says what is wrong where it is wrong.
import { ApiError } from "../api.js";
import { html, useEffect, useRef, useState } from "../lib.js";
import { texts } from "../texts.js";
import { Button } from "./basics.js";

// `send(values, form)` gets the fields by their names; what it throws is shown. `children(errors)` draws the
// fields, each with `error=${errors.NAME}`; what is wrong with none of them is said below. `places` tells
// of sentences that name no field where they belong: {name: /already exists/}.
export function Form({ send, done, children, places = {}, label = texts.actions.save, cancel, danger, start, class: more = "" }) {
  const [error, setError] = useState(null);
  const [isBusy, setBusy] = useState(false);
  const own = useRef(null);
  useEffect(() => own.current.querySelector("[autofocus]")?.focus(), []); // also where it comes after the page or the dialog
  const submit = async (event) => {
    event.preventDefault();
    event.stopPropagation();
    const form = event.currentTarget;
    setBusy(true);
    setError(null);
    let answer;
    try {
      expectAll(form);
      answer = await send(Object.fromEntries(new FormData(form)), form);
    } catch (problem) {
      setError(problem);
      requestAnimationFrame(() => form.querySelector('[aria-invalid="true"]')?.focus());
      return;
    } finally {
      setBusy(false);
    }
    done?.(answer, form);
  };
  const fields = placed(error, places);
  const drawn = new Set();
  const inner = children(new Proxy(fields, { get: (of, name) => { drawn.add(name); return of[name]; } }));
  const isSaid = Object.keys(fields).length > 0 && Object.keys(fields).every((name) => drawn.has(name));
  return html`
    <form ref=${own} class=${`form ${more}`} onSubmit=${submit} novalidate>
      ${inner}
      ${error && !isSaid && html`<div class="form-error wrap" role="alert">${error.message}</div>`}
      <div class=${`form-actions ${start ? "is-start" : ""}`}>
        ${cancel && html`<${Button} onClick=${cancel}>${texts.actions.cancel}<//>`}
        <${Button} type="submit" kind=${danger ? "danger" : "primary"} busy=${isBusy}>${label}<//>
      </div>
    </form>
  `;
}

function expectAll(form) {
  const empty = [...form.elements].filter((each) => each.required && !each.value.trim());
  if (!empty.length) return;
  throw new ApiError(0, texts.needed, Object.fromEntries(empty.map(({ name }) => [name, texts.needed])));
}

function placed(error, places) {
  if (!error) return {};
  if (Object.keys(error.fields ?? {}).length) return error.fields;
  const [name] = Object.entries(places).find(([, pattern]) => pattern.test(error.message)) ?? [];
  return name ? { [name]: error.message } : {};
}

// What is wrong with one field, found before anything is sent.
export function wrong(name, message) {
  return new ApiError(0, message, { [name]: message });
}
