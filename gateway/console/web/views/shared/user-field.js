// A field that names a user, and proposes some while one types.
import { get } from "../../api.js";
import { html, useEffect, useId, useState } from "../../lib.js";
import { texts } from "../../texts.js";
import { Field } from "../../ui/basics.js";

const PROPOSED = 8;
const PAUSE = 200; // ms in which nothing is typed
const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

// `chosen` is a user's id or undefined; `choose(id, name)` is called with another one, or with undefined.
export function UserField({ label, chosen, choose }) {
  const list = useId();
  const [text, setText] = useState("");
  const [found, setFound] = useState([]);
  const [isUnknown, setUnknown] = useState(false);

  useEffect(() => {
    if (!chosen) return undefined;
    let isLate = false;
    get(`/api/users/${encodeURIComponent(chosen)}`).then(
      ({ username }) => !isLate && setText(username),
      () => !isLate && setText(chosen), // somebody who has left
    );
    return () => { isLate = true; };
  }, [chosen]);

  useEffect(() => {
    if (!text || ID.test(text)) return undefined;
    const ended = new AbortController();
    const timer = setTimeout(async () => {
      try {
        const users = await get("/api/users", { search: text, limit: PROPOSED }, { signal: ended.signal });
        setFound(users);
        take(text, users);
      } catch (error) {
        if (error.name !== "AbortError") setFound([]);
      }
    }, PAUSE);
    return () => { clearTimeout(timer); ended.abort(); };
  }, [text]);

  const take = (name, users) => {
    const user = users.find(({ username }) => username === name);
    setUnknown(!user);
    if (user && user.id !== chosen) choose(user.id, user.username);
  };
  const onInput = ({ currentTarget: { value } }) => {
    setText(value);
    setUnknown(false);
    if (!value) choose(undefined);
    else if (ID.test(value)) choose(value, value);
  };
  return html`
    <${Field} label=${label} type="search" autocomplete="off" list=${list} value=${text} onInput=${onInput}
      placeholder=${texts.userField.all} error=${isUnknown ? texts.userField.unknown : undefined} />
    <datalist id=${list}>${found.map(({ id, username }) => html`<option key=${id} value=${username}></option>`)}</datalist>
  `;
}
