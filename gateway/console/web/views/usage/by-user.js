// What each user has used this month: a question for each of those that are shown.
import { get } from "../../api.js";
import { html, useEffect, useState } from "../../lib.js";
import { href } from "../../router.js";
import { texts } from "../../texts.js";
import { Empty, Field } from "../../ui/basics.js";
import { List, usePages } from "../shared/pages.js";
import { SPANS } from "./days.js";
import { COLUMNS } from "./report.js";

const words = texts.usage;
const AT_ONCE = 4;
const NOTHING = { requests: 0, input_tokens: 0, cached_tokens: 0, output_tokens: 0, price: null, unpriced_requests: 0 };

export function ByUser() {
  const [search, setSearch] = useState("");
  const [span, setSpan] = useState("month");
  const pages = usePages("/api/users", { search }, { every: 60_000 });
  const { sums, error } = useSums(pages.items ?? [], span);
  const rows = pages.items?.filter(({ id }) => sums.has(id)).map((user) => ({ ...user, ...sums.get(user.id) }))
    .sort((one, other) => (other.price ?? -1) - (one.price ?? -1) || other.requests - one.requests);
  return html`
    <div class="usage-head">
      <${Field} label=${texts.users.search} type="search" maxlength="255" value=${search} onInput=${(event) => setSearch(event.currentTarget.value)} />
      <${Field} as="select" label=${words.span} value=${span} onChange=${(event) => setSpan(event.currentTarget.value)}>
        ${Object.keys(SPANS).map((each) => html`<option key=${each} value=${each}>${words.spans[each]}</option>`)}
      <//>
    </div>
    <p class="soft">${words.byUserText}</p>
    <${List} pages=${{ ...pages, items: rows?.length || !pages.items?.length ? rows : null, error: pages.error ?? error }} label=${words.byUser}
      columns=${[[words.user, (user) => html`<a class="wrap" href=${href("usage", { user: user.id })}>${user.username}</a>`], ...COLUMNS]}
      empty=${html`<${Empty} icon="users" title=${texts.users.none} />`} />
  `;
}

// The sums of these users by their ids, as they come.
function useSums(users, span) {
  const [state, setState] = useState({ sums: new Map(), error: null });
  const ids = users.map(({ id }) => id);
  useEffect(() => {
    const ended = new AbortController();
    const waiting = [...ids];
    const work = async () => {
      for (let id = waiting.shift(); id; id = waiting.shift()) {
        const { total } = await get("/api/usage", { user_id: id, limit: 0, ...SPANS[span]() }, { signal: ended.signal });
        setState(({ sums }) => ({ sums: new Map(sums).set(id, { ...NOTHING, ...total }), error: null }));
      }
    };
    Promise.all(Array.from({ length: AT_ONCE }, work)).catch((error) => {
      if (error.name !== "AbortError") setState((before) => ({ ...before, error }));
    });
    return () => ended.abort();
  }, [ids.join(), span]);
  return state;
}
