// Taking along all that one has, bringing it, and leaving.
import { get, post, request } from "../../api.js";
import { html, useState } from "../../lib.js";
import { me, over, reason } from "../../session.js";
import { texts } from "../../texts.js";
import { Button, Field } from "../../ui/basics.js";
import { useData } from "../../ui/data.js";
import { Dialog } from "../../ui/dialog.js";
import { Form, wrong } from "../../ui/form.js";
import { attempt } from "../../ui/toast.js";
import { Section } from "../../ui/section.js";

const t = texts.account;

export const Leaving = () => html`
  <div class="columns"><${Export} /><${Import} /><${Deletion} /></div>
`;

function Export() {
  const [isBusy, setBusy] = useState(false);
  const take = async () => {
    setBusy(true);
    await attempt(async () => {
      let file;
      try {
        file = await (await request("GET", "/api/me/export")).blob();
      } catch (error) {
        throw error.status === undefined ? new Error(t.cutOff) : error;
      }
      save(file, `${me.value?.username ?? "account"}-${new Date().toISOString().slice(0, 10)}.zip`);
    });
    setBusy(false);
  };
  return html`
    <${Section} title=${t.export} lead=${t.exportLead}>
      <div><${Button} icon="download" busy=${isBusy} onClick=${take}>${t.exportLabel}<//></div>
    <//>
  `;
}

function save(file, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(file), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // once the browser has surely begun
}

function Import() {
  const [report, setReport] = useState(null);
  const send = ({ file }) => {
    if (!file?.size) throw wrong("file", texts.needed);
    const body = new FormData();
    body.append("file", file);
    return post("/api/me/import", body);
  };
  return html`
    <${Section} title=${t.import} lead=${t.importLead}>
      <${Form} send=${send} done=${setReport} label=${t.importLabel} start>
        ${(errors) => html`<${Field} label=${t.archive} name="file" type="file" accept=".zip,application/zip" error=${errors.file} />`}
      <//>
      ${report && html`<${Report} of=${report} />`}
    <//>
  `;
}

const Report = ({ of }) => html`
  <div class="table-frame" role="status"><table class="table">
    <thead><tr><th>${t.kind}</th><th class="is-number">${t.found}</th><th class="is-number">${t.taken}</th><th>${t.leftOut}</th></tr></thead>
    <tbody>${of.kinds.map((each) => html`
      <tr key=${each.kind}><td>${each.kind.replaceAll("_", " ")}</td><td class="is-number">${each.found}</td><td class="is-number">${each.taken}</td>
        <td class="wrap">${each.refused ?? Object.entries(each.left_out).map(([why, count]) => `${count}: ${why}`).join("; ")}</td></tr>
    `)}</tbody>
  </table></div>
`;

function Deletion() {
  const [isOpen, setOpen] = useState(false);
  return html`
    <${Section} title=${t.deletion} lead=${t.deletionLead}>
      <div><${Button} kind="danger" icon="trash" onClick=${() => setOpen(true)}>${t.deletionLabel}<//></div>
      ${isOpen && html`<${Farewell} close=${() => setOpen(false)} />`}
    <//>
  `;
}

// The page may have heard of it otherwise by now.
function gone() {
  over(t.deleted);
  reason.value = t.deleted;
}

function Farewell({ close }) {
  const ways = useData((signal) => get("/api/login/providers", {}, { signal }));
  const name = me.value?.username;
  const send = (values) => {
    if (values.username.trim() !== name) throw wrong("username", t.otherName);
    return post("/api/me/deletion", { password: values.password || null });
  };
  return html`
    <${Dialog} title=${t.deletionLabel} close=${close}>
      <${Form} send=${send} done=${gone} cancel=${close} label=${t.deletionLabel} danger places=${{ password: /password/i }}>
        ${(errors) => html`
          <p>${t.deletionText}</p>
          <${Field} label=${t.typeName(name)} name="username" autocomplete="off" error=${errors.username} required />
          ${ways.data?.password && html`<${Field} label=${t.oldPassword} name="password" type="password" autocomplete="current-password" hint=${t.ifAny} error=${errors.password} />`}
        `}
      <//>
    <//>
  `;
}
