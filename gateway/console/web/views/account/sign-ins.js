// Where one has signed in.
import { get, remove } from "../../api.js";
import { html } from "../../lib.js";
import { texts } from "../../texts.js";
import { Badge, Button, Time } from "../../ui/basics.js";
import { useData } from "../../ui/data.js";
import { confirm } from "../../ui/dialog.js";
import { attempt, toast } from "../../ui/toast.js";
import { device } from "../shared/device.js";
import { Section, Shown } from "../../ui/section.js";

const t = texts.account;
const PATH = "/api/sessions/sign-ins";

export function SignIns({ providers }) {
  const list = useData((signal) => get(PATH, {}, { signal }), [], ["sign_ins"]);
  const by = (method) => (method === "password" ? t.byPassword
    : t.byProvider(providers.find(({ name }) => name === method)?.title ?? method));
  const end = async (each) => {
    if (!await confirm(t.endOne(device(each.device)), { label: t.end })) return;
    await attempt(() => remove(`${PATH}/${each.id}`));
    list.reload();
  };
  const endOthers = async () => {
    if (!await confirm(t.endOthers, { text: t.endOthersText, label: t.end })) return;
    await attempt(async () => toast(t.ended((await remove(PATH)).ended)));
    list.reload();
  };
  const others = list.data?.sign_ins.filter((each) => !each.is_current).length;
  return html`
    <${Section} title=${t.signIns} lead=${t.signInsLead}
      actions=${others > 0 && html`<${Button} small kind="danger" onClick=${endOthers}>${t.endOthersLabel}<//>`}>
      <${Shown} of=${list}>${({ sign_ins }) => html`
        <ul class="list">${sign_ins.map((each) => html`
          <li key=${each.id} class="item">
            <div class="stack tight">
              <div class="row"><strong class="wrap" title=${each.device}>${device(each.device)}</strong>
                ${each.is_current && html`<${Badge} kind="good">${t.thisOne}<//>`}</div>
              <div class="soft small wrap">${by(each.method)} · ${each.address} · ${t.lastUsed} <${Time} at=${each.used_at} /></div>
              <div class="soft small">${t.begun} <${Time} at=${each.created_at} /> · ${t.endsAt} <${Time} at=${each.expires_at} /></div>
            </div>
            ${!each.is_current && html`<${Button} small onClick=${() => end(each)}>${t.end}<//>`}
          </li>
        `)}</ul>
      `}<//>
    <//>
  `;
}
