// A form that sends itself, and says what is wrong where it is wrong.
import { html, useState } from "../lib.js";
import { texts } from "../texts.js";
import { Button } from "./basics.js";

// `send(values)` gets the fields by their names; what it throws is shown. `children(errors)` draws the
// fields, each with `error=${errors.NAME}`; `known` names those, and the rest is said below them.
export function Form({ send, done, children, label = texts.actions.save, cancel, danger, class: more = "" }) {
  const [error, setError] = useState(null);
  const [isBusy, setBusy] = useState(false);
  const submit = async (event) => {
    event.preventDefault();
    const form = event.currentTarget;
    setBusy(true);
    setError(null);
    try {
      const answer = await send(Object.fromEntries(new FormData(form)), form);
      done?.(answer);
    } catch (problem) {
      setError(problem);
      requestAnimationFrame(() => form.querySelector('[aria-invalid="true"]')?.focus());
    } finally {
      setBusy(false);
    }
  };
  const fields = error?.fields ?? {};
  const inner = children(fields);
  return html`
    <form class=${`form ${more}`} onSubmit=${submit} novalidate>
      ${inner}
      ${error && html`<div class="form-error wrap" role="alert">${error.message}</div>`}
      <div class="form-actions">
        ${cancel && html`<${Button} onClick=${cancel}>${texts.actions.cancel}<//>`}
        <${Button} type="submit" kind=${danger ? "danger" : "primary"} busy=${isBusy}>${label}<//>
      </div>
    </form>
  `;
}
