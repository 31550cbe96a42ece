// All users, by name.
import { html, useEffect, useState } from "../../lib.js";
import { href, replace } from "../../router.js";
import { texts } from "../../texts.js";
import { Badge, Button, Empty, Page, Time } from "../../ui/basics.js";
import { List, usePages } from "../shared/pages.js";
import { NewUser } from "./new-user.js";

const words = texts.users;
const PAUSE = 200; // ms in which nothing is typed

const COLUMNS = [
  [words.name, (user) => html`<a class="wrap" href=${href("users", user.id)}>${user.username}</a>`],
  [words.role, (user) => html`<${Role} user=${user} />`],
  [words.state, (user) => html`<${State} user=${user} />`],
  [words.created, (user) => html`<${Time} at=${user.created_at} />`],
];

export function Users({ query }) {
  const [text, setText] = useState(query.search ?? "");
  const [isNew, setNew] = useState(false);
  const pages = usePages("/api/users", { search: query.search });
  useEffect(() => {
    if (text === (query.search ?? "")) return undefined;
    const timer = setTimeout(() => {
      if (location.hash.split("?")[0] === href("users")) replace("users", { search: text }); // else a user was chosen meanwhile
    }, PAUSE);
    return () => clearTimeout(timer);
  }, [text]);
  const actions = html`
    <div class="row">
      <${Button} href=${href("users", "deletions")}>${words.deletions}<//>
      <${Button} kind="primary" icon="plus" onClick=${() => setNew(true)}>${words.new}<//>
    </div>
  `;
  return html`
    <${Page} title=${texts.nav.users} actions=${actions}>
      <div class="users-search">
        <input class="input" type="search" aria-label=${words.search} placeholder=${words.search} maxlength="255" value=${text} onInput=${(event) => setText(event.currentTarget.value)} />
      </div>
      <${List} pages=${pages} label=${texts.nav.users} columns=${COLUMNS}
        empty=${html`<${Empty} icon="users" title=${words.none}>${words.noneText}<//>`} />
      ${isNew && html`<${NewUser} close=${() => setNew(false)} done=${pages.reload} />`}
    <//>
  `;
}

export const Role = ({ user }) => (user.role === "admin" ? html`<${Badge} kind="accent">${words.admin}<//>` : html`<${Badge}>${words.user}<//>`);

export const State = ({ user }) => (user.locked_at
  ? html`<${Badge} kind="bad">${words.locked}<//>`
  : html`<${Badge} kind="good">${words.active}<//>`);
