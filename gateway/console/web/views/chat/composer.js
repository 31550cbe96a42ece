// Where a message is written: its text, its files, and which model is to answer.
import { html, signal, useEffect, useLayoutEffect, useRef, useState } from "../../lib.js";
import { texts } from "../../texts.js";
import { Button } from "../../ui/basics.js";
import { Icon } from "../../ui/icons.js";
import { toast } from "../../ui/toast.js";
import { upload } from "./files.js";
import { keepDraft, readDraft } from "./unsent.js";
import { uuid } from "../../uuid.js";

const MOST_FILES = 100; // as the gateway has it
const LINES = 12;
const MODEL = "genai.model";

const chosen = signal(localStorage.getItem(MODEL) ?? "");
function choose(name) {
  chosen.value = name;
  if (name) localStorage.setItem(MODEL, name);
  else localStorage.removeItem(MODEL);
}

export function Composer({ id, isNew, models, isOff, send }) {
  const [text, setText] = useState(() => readDraft(id));
  const field = useRef(null);
  const picker = useRef(null);
  const { files, add, drop, clear } = useFiles();
  const [isOver, setOver] = useState(false);
  const [isPending, setPending] = useState(false);
  const write = (value) => {
    setText(value);
    keepDraft(id, value);
  };
  useLayoutEffect(() => {
    const { style, scrollHeight } = field.current;
    style.height = "auto";
    style.height = `min(${LINES}lh, ${field.current.scrollHeight || scrollHeight}px)`;
  }, [text]);
  // Who asks for a new chat writes next; who has just come begins at the top.
  useEffect(() => {
    const isAsked = isNew && document.activeElement !== document.body;
    if (isAsked && matchMedia("(hover: hover)").matches) field.current.focus();
  }, []);
  const isReady = !isOff && files.every((file) => !file.error) && (text.trim() || files.length);
  const isWhole = files.every((file) => file.id);
  // Until the list is there, what was chosen last is good.
  const config = !models || models.some(({ name }) => name === chosen.value) ? chosen.value : "";
  const submit = (event) => {
    event?.preventDefault();
    if (!isReady) return;
    if (!isWhole) {
      setPending(true); // it goes when its files are there
      return;
    }
    setPending(false);
    send(text, files.map(({ id: fileId, name }) => ({ id: fileId, name })), config);
    write("");
    clear();
    field.current.focus();
  };
  useEffect(() => {
    if (isPending && isWhole) submit();
    if (isPending && !isReady) setPending(false);
  }, [isPending, isWhole, isReady]);
  const onKeyDown = (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) submit(event);
  };
  const onPaste = (event) => {
    if (!event.clipboardData.files.length) return;
    event.preventDefault();
    add(event.clipboardData.files);
  };
  const onDrop = (event) => {
    event.preventDefault();
    setOver(false);
    add(event.dataTransfer.files);
  };
  const onDrag = (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    setOver(true);
  };
  return html`
    <form class=${`chat-composer ${isOver ? "is-over" : ""}`} onSubmit=${submit} onDragOver=${onDrag} onDragLeave=${() => setOver(false)} onDrop=${onDrop}>
      ${files.length > 0 && html`<ul class="chat-files">${files.map((file) => html`<${Upload} key=${file.key} file=${file} drop=${() => drop(file.key)} />`)}</ul>`}
      <textarea ref=${field} class="chat-field" rows="1" aria-label=${texts.chat.write} aria-describedby="chat-hint"
        placeholder=${isOver ? texts.chat.drop : texts.chat.write} value=${text} disabled=${isOff}
        onInput=${(event) => write(event.target.value)} onKeyDown=${onKeyDown} onPaste=${onPaste}></textarea>
      <div class="chat-composer-foot">
        <input ref=${picker} class="unseen" type="file" multiple tabindex="-1" aria-label=${texts.chat.attach}
          onChange=${(event) => { add(event.target.files); event.target.value = ""; }} />
        <${Button} kind="plain" icon="attach" label=${texts.chat.attach} disabled=${isOff} onClick=${() => picker.current.click()} />
        <select class="input chat-model" aria-label=${texts.chat.model} value=${config} disabled=${isOff} onChange=${(event) => choose(event.target.value)}>
          <option value="">${texts.chat.newest}</option>
          ${!models && config && html`<option value=${config}>${config}</option>`}
          ${models?.map(({ name, model }) => html`<option key=${name} value=${name}>${name} · ${model}</option>`)}
        </select>
        <span class="soft small chat-hint" id="chat-hint">${texts.chat.hint}</span>
        <${Button} type="submit" kind="primary" icon="send" label=${texts.chat.send} busy=${isPending} disabled=${!isReady} />
      </div>
    </form>
  `;
}

function Upload({ file, drop }) {
  return html`
    <li class=${`chat-file ${file.error ? "is-bad" : ""}`}>
      ${file.picture && html`<div class="chat-thumb"><img src=${file.picture} alt="" /></div>`}
      <span class="chat-file-name"><${Icon} name=${file.error ? "warn" : "file"} />
        <span class="clip">${file.error ? texts.chat.fileFailed(file.name, file.error) : file.name}</span></span>
      ${!file.id && !file.error && html`<progress max="1" value=${file.part} aria-label=${file.name}></progress>`}
      <${Button} small kind="plain" icon="close" label=${texts.chat.removeFile(file.name)} onClick=${drop} />
    </li>
  `;
}

// Files that are sent up while one writes: {key, name, part, id, error, picture}.
function useFiles() {
  const [files, setFiles] = useState([]);
  const latest = useRef(files);
  const running = useRef(new Map());
  const set = (change) => setFiles((before) => { latest.current = change(before); return latest.current; });
  const change = (key, changes) => set((all) => all.map((file) => (file.key === key ? { ...file, ...changes } : file)));
  const forget = (file) => {
    running.current.get(file.key)?.abort();
    running.current.delete(file.key);
    if (file.picture) URL.revokeObjectURL(file.picture);
  };
  const add = (given) => {
    const room = MOST_FILES - latest.current.length;
    if (given.length > room) toast(texts.chat.tooMany(MOST_FILES), { bad: true });
    for (const file of [...given].slice(0, room)) {
      const key = uuid();
      const picture = /^image\/(png|jpeg|gif|webp)$/.test(file.type) ? URL.createObjectURL(file) : "";
      const controller = new AbortController();
      running.current.set(key, controller);
      set((all) => [...all, { key, name: file.name, part: 0, id: null, error: "", picture }]);
      upload(file, (part) => change(key, { part }), controller.signal)
        .then((id) => change(key, { id }))
        .catch((error) => { if (error.name !== "AbortError") change(key, { error: error.message }); });
    }
  };
  const drop = (key) => {
    forget(latest.current.find((file) => file.key === key));
    set((all) => all.filter((file) => file.key !== key));
  };
  const clear = () => {
    latest.current.forEach(forget);
    set(() => []);
  };
  useEffect(() => () => latest.current.forEach(forget), []);
  return { files, add, drop, clear };
}
