// One value on which all tabs agree at once: what one has put is what the next one gets. Of localStorage that
// does not hold, which other tabs hear of a moment later. A browser that has no such place gets undefined.
const NAME = "genai";

export const shelve = (value) => use("readwrite", (store) => store.put(value, NAME));
export const shelved = () => use("readonly", (store) => store.get(NAME));
export const clear = () => use("readwrite", (store) => store.clear());

function use(mode, work) {
  return new Promise((done) => {
    const opening = indexedDB.open(NAME, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(NAME);
    opening.onerror = () => done(undefined);
    opening.onsuccess = () => {
      const transaction = opening.result.transaction(NAME, mode);
      const request = work(transaction.objectStore(NAME));
      transaction.oncomplete = () => {
        opening.result.close();
        done(request.result);
      };
      transaction.onabort = () => done(undefined);
    };
  });
}
