// What was sent and is not answered, and what was begun to be written, kept over a reload of this tab.
const unsentKey = (id) => `genai.unsent.${id}`;
const draftKey = (id) => `genai.draft.${id}`;

export function keepUnsent(id, turns) {
  store(unsentKey(id), turns.length ? JSON.stringify(turns.map(({ messageId, text, files, config }) => ({ messageId, text, files, config }))) : "");
}

export function readUnsent(id) {
  try {
    return JSON.parse(sessionStorage.getItem(unsentKey(id)) ?? "[]");
  } catch {
    return [];
  }
}

export const keepDraft = (id, text) => store(draftKey(id), text);
export const readDraft = (id) => sessionStorage.getItem(draftKey(id)) ?? "";

function store(key, text) {
  try {
    if (text) sessionStorage.setItem(key, text);
    else sessionStorage.removeItem(key);
  } catch {
    // It is full: then it is not kept.
  }
}
