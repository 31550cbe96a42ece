// Files of messages: sent up, shown as far as they can be, and brought down.
import { ApiError, get, request } from "../../api.js";
import { html, useEffect, useState } from "../../lib.js";
import { ROOT } from "../../root.js";
import { currentToken } from "../../session.js";
import { texts } from "../../texts.js";
import { Button, Failed, Loading } from "../../ui/basics.js";
import { useData } from "../../ui/data.js";
import { Dialog } from "../../ui/dialog.js";
import { Icon } from "../../ui/icons.js";
import { attempt } from "../../ui/toast.js";

const TEXT_BYTES = 64 * 1024; // of a text that is shown
const PICTURES = /^image\/(png|jpe?g|gif|webp|avif|bmp|svg\+xml)$/i;
const TEXTS = /^text\/|[/+](json|xml|yaml|x-yaml|javascript|toml|sql|x-sh|x-python)$/i;
const kindOf = (type = "") => {
  const bare = type.split(";")[0].trim();
  if (PICTURES.test(bare)) return "picture";
  if (/^application\/pdf$/i.test(bare)) return "pdf";
  return TEXTS.test(bare) ? "text" : "";
};

// Stores a file; `told(part)` hears how much of it is there, from 0 to 1. Only this way tells it.
export async function upload(file, told, signal) {
  const token = await currentToken();
  return new Promise((done, fail) => {
    const call = new XMLHttpRequest();
    const form = new FormData();
    form.append("file", file);
    call.open("POST", `${ROOT}/files`);
    call.setRequestHeader("Authorization", `Bearer ${token}`);
    call.responseType = "json";
    call.upload.onprogress = ({ loaded, total }) => told(total ? loaded / total : 0);
    call.onload = () => {
      if (call.status === 201) done(call.response.id);
      else fail(new ApiError(call.status, typeof call.response?.detail === "string" ? call.response.detail : texts.failed(call.status)));
    };
    call.onerror = () => fail(new ApiError(0, texts.away));
    call.onabort = () => fail(new DOMException("", "AbortError"));
    signal.addEventListener("abort", () => call.abort());
    call.send(form);
  });
}

// What is known of a file, asked for once.
const known = new Map();
export function describe(file) {
  if (file.original_name) return file;
  if (!known.has(file.id)) {
    known.set(file.id, get(`/files/${file.id}/metadata`).catch((error) => {
      known.delete(file.id);
      throw error;
    }));
  }
  return known.get(file.id);
}

// Of files whose metadata has not come it is not known whose they are: they are drawn on both sides, and stay on one.
export function Files({ files, isAgents }) {
  if (!files.length) return null;
  return html`<ul class="chat-files">${files.map((file) => html`<${Chip} key=${file.id} file=${file} isAgents=${isAgents} />`)}</ul>`;
}

function Chip({ file, isAgents }) {
  const [isShown, show] = useState(false);
  const { data, error } = useData(async () => describe(file), [file.id]);
  if (data && data.from_agent !== undefined && data.from_agent !== isAgents) return null;
  const name = data?.original_name ?? (error ? error.message : "…");
  return html`
    <li class="chat-file">
      ${data && kindOf(data.mimetype) === "picture" && html`<${Picture} file=${data} small />`}
      <button type="button" class="chat-file-name" disabled=${!data} onClick=${() => show(true)}>
        <${Icon} name="file" /><span class="clip">${name}</span>
      </button>
      ${data && html`<${Button} small kind="plain" icon="download" label=${`${texts.chat.download} ${name}`} onClick=${() => attempt(() => download(data))} />`}
      ${isShown && html`<${Preview} file=${data} close=${() => show(false)} />`}
    </li>
  `;
}

// A token is needed for it, so no link leads there.
async function download(file) {
  const blob = await (await request("GET", `/files/${file.id}`)).blob();
  save(new Blob([blob], { type: "application/octet-stream" }), file.original_name);
}

export function save(blob, name) {
  const address = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

function Preview({ file, close }) {
  const kind = kindOf(file.mimetype);
  const isShown = kind && (kind !== "pdf" || navigator.pdfViewerEnabled);
  return html`
    <${Dialog} title=${file.original_name} close=${close} wide>
      <div class="stack">
        ${kind === "picture" && html`<${Picture} file=${file} />`}
        ${kind === "pdf" && isShown && html`<${Pdf} file=${file} />`}
        ${kind === "text" && html`<${Beginning} file=${file} />`}
        ${!isShown && html`<p class="soft">${texts.chat.noPreview}</p>`}
        <div class="form-actions"><${Button} icon="download" onClick=${() => attempt(() => download(file))}>${texts.chat.download}<//></div>
      </div>
    <//>
  `;
}

// The address of a file's content, for as long as it is shown. Its type is one of ours, whatever its sender says.
function useContent(file, type) {
  const { data, error, reload } = useData(async (signal) => {
    const blob = await (await request("GET", `/files/${file.id}`, { signal })).blob();
    return URL.createObjectURL(new Blob([blob], { type }));
  }, [file.id]);
  useEffect(() => () => { if (data) URL.revokeObjectURL(data); }, [data]);
  return { data, error, reload };
}

function Picture({ file, small }) {
  const { data, error, reload } = useContent(file, file.mimetype.split(";")[0].trim().toLowerCase());
  if (error) return small ? null : html`<${Failed} error=${error} again=${reload} />`;
  return html`<div class=${small ? "chat-thumb" : "chat-image"}>${data && html`<img src=${data} alt=${file.original_name} />`}</div>`;
}

function Pdf({ file }) {
  const { data, error, reload } = useContent(file, "application/pdf");
  if (error) return html`<${Failed} error=${error} again=${reload} />`;
  return data ? html`<iframe class="chat-pdf" src=${data} title=${file.original_name}></iframe>` : html`<${Loading} />`;
}

function Beginning({ file }) {
  const { data, error, reload } = useData(async (signal) => {
    const answer = await request("GET", `/files/${file.id}`, { signal, headers: { Range: `bytes=0-${TEXT_BYTES - 1}` } });
    const bytes = new Uint8Array(await answer.arrayBuffer()).subarray(0, TEXT_BYTES);
    const total = Number(answer.headers.get("content-range")?.split("/")[1] ?? bytes.length);
    return { text: new TextDecoder().decode(bytes), isCut: total > bytes.length };
  }, [file.id]);
  if (error) return html`<${Failed} error=${error} again=${reload} />`;
  if (!data) return html`<${Loading} />`;
  return html`${data.isCut && html`<p class="soft small">${texts.chat.cut}</p>`}<pre class="code chat-file-text" tabindex="0">${data.text}</pre>`;
}
