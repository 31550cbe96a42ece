// Lists of the API that are shown part by part, as tables.
import { get } from "../../api.js";
import { html, useRef, useState } from "../../lib.js";
import { texts } from "../../texts.js";
import { Button, Failed, Loading } from "../../ui/basics.js";
import { useData, useInterval } from "../../ui/data.js";

const PART = 50;

// {items, error, reload, more, hasMore}: the list at `path`, read again every `every` ms while the page is seen.
// What was there stays until the next answer; `of` takes the list out of an answer that has more.
export function usePages(path, query = {}, { every = 5000, of = (answer) => answer } = {}) {
  const limit = useRef(PART);
  const before = useRef(null);
  const [isGrowing, setGrowing] = useState(false);
  const load = async (signal) => {
    const wanted = limit.current;
    const found = of(await get(path, { ...query, limit: wanted + 1 }, { signal }));
    return { items: found.slice(0, wanted), hasMore: found.length > wanted };
  };
  const key = JSON.stringify([path, query]);
  const { data, error, reload } = useData(load, [key]);
  useInterval(reload, every);
  if (data) before.current = { ...data, key };
  const more = async () => {
    limit.current += PART;
    setGrowing(true);
    await reload();
    setGrowing(false);
  };
  const { items = null, hasMore = false } = before.current ?? {};
  // A list that is known stays while it can't be read again; the shell says that the gateway is away.
  return { items, hasMore, error: before.current?.key === key ? null : error, reload, more, isGrowing };
}

// `columns`: [[label, cell(item), "number"?], …]; `empty` is what is shown in place of no rows, and
// `below(item)`, where it is something, below that item's row.
export function List({ pages, label, columns, keyOf = (item) => item.id, below, empty }) {
  const { items, error, reload, hasMore, more, isGrowing } = pages;
  if (error) return html`<${Failed} error=${error} again=${reload} />`;
  if (!items) return html`<${Loading} />`;
  if (!items.length) return empty;
  return html`
    <${Table} rows=${items} ...${{ label, columns, keyOf, below }} />
    ${hasMore && html`<div class="row"><${Button} busy=${isGrowing} onClick=${more}>${texts.actions.more}<//></div>`}
  `;
}

export const Table = ({ rows, label, columns, keyOf, below }) => html`
  <div class="table-frame" tabindex="0" role="region" aria-label=${label}>
    <table class="table">
      <thead><tr>${columns.map(([name, , kind]) => html`<th key=${name} scope="col" class=${kind && `is-${kind}`}>${name}</th>`)}</tr></thead>
      <tbody>
        ${rows.map((row) => html`
          <tr key=${keyOf(row)}>${columns.map(([name, cell, kind]) => html`<td key=${name} class=${kind && `is-${kind}`}>${cell(row)}</td>`)}</tr>
          ${below?.(row) && html`<tr key=${`${keyOf(row)} below`}><td colspan=${columns.length}>${below(row)}</td></tr>`}
        `)}
      </tbody>
    </table>
  </div>
`;
