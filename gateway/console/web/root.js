// All that is served stands below one address, whatever prefix a proxy has.
export const ROOT = new URL("../", import.meta.url).href.replace(/\/$/, "");
