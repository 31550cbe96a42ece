// A part of a page with its heading, and what is loaded for it.
import { html, useId } from "../lib.js";
import { Failed, Loading } from "./basics.js";

export function Section({ title, lead, actions, children }) {
  const id = useId();
  return html`
    <section class="card section" aria-labelledby=${id}>
      <div class="row row-between"><h2 id=${id}>${title}</h2>${actions}</div>
      ${lead && html`<p class="soft section-lead">${lead}</p>`}
      ${children}
    </section>
  `;
}

// Draws what was loaded by `useData`, by `children(data)`.
export function Shown({ of, children }) {
  if (of.data) return children(of.data);
  return of.error ? html`<${Failed} error=${of.error} again=${of.reload} />` : html`<${Loading} />`;
}
