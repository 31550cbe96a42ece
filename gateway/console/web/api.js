// The public REST API and its streams, as whoever has signed in.
import { ROOT } from "./root.js";
import { currentToken, renewed, over } from "./session.js";
import { texts } from "./texts.js";

// What an answer says is wrong: `message` in a sentence, and `fields` {name: sentence} where it says so.
export class ApiError extends Error {
  constructor(status, message, fields = {}, detail = null) {
    super(message);
    this.status = status;
    this.fields = fields;
    this.detail = detail;
  }
}

// Asks whoever has signed in to show again who it is; whether that was shown.
let prove = async () => false;
export const proveBy = (work) => { prove = work; };

export const get = (path, query, options) => call("GET", path, { query, ...options });
export const post = (path, body, options) => call("POST", path, { body, ...options });
export const patch = (path, body, options) => call("PATCH", path, { body, ...options });
export const remove = (path, query, options) => call("DELETE", path, { query, ...options });

// The answer as JSON, null where there is none. A body is sent as JSON, but for FormData and URLSearchParams.
export async function call(method, path, options = {}) {
  const response = await request(method, path, options);
  const text = await response.text();
  return text ? JSON.parse(text) : null;
}

// The answer as it is, where that is a good one; throws an ApiError else.
export async function request(method, path, { query, body, headers, signal, anonymous } = {}) {
  const isForm = body instanceof FormData || body instanceof URLSearchParams;
  const send = async () => fetch(address(path, query), {
    method,
    signal,
    credentials: "omit",
    headers: {
      ...(body === undefined || isForm ? {} : { "Content-Type": "application/json" }),
      ...(anonymous ? {} : { Authorization: `Bearer ${await currentToken()}` }),
      ...headers,
    },
    body: body === undefined || isForm ? body : JSON.stringify(body),
  });
  let response;
  try {
    response = await send();
    // Its token may have ended a moment ago: once more, with another one.
    if (response.status === 401 && !anonymous && (await renewed())) response = await send();
    if (isStale(response) && (await prove())) response = await send();
  } catch (error) {
    if (error.name === "AbortError" || error instanceof ApiError) throw error;
    throw new ApiError(0, texts.away);
  }
  if (response.status === 401 && !anonymous) over(texts.signIn.ended);
  if (!response.ok) throw await failure(response);
  return response;
}

// RFC 9470: it is the user, who has to show that again.
const isStale = ({ status, headers }) => status === 403
  && /insufficient_user_authentication/.test(headers.get("WWW-Authenticate") ?? "");

export function address(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const search = new URLSearchParams(given).toString();
  return `${ROOT}${path}${search ? `?${search}` : ""}`;
}

// The events of a stream as they come, each as its JSON, until it ends; throws an ApiError else. `onId` is
// told their ids.
export async function* events(path, { query, headers, signal, onId } = {}) {
  const response = await request("GET", path, { query, signal, headers: { Accept: "text/event-stream", ...headers } });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split(/\r?\n\r?\n/);
    rest = blocks.pop();
    for (const block of blocks) {
      const lines = block.split(/\r?\n/);
      const data = lines.filter((line) => line.startsWith("data:"));
      const id = lines.find((line) => line.startsWith("id:"));
      if (id) onId?.(id.slice(3).trim());
      if (data.length) yield JSON.parse(data.map((line) => line.slice(5)).join("\n"));
    }
  }
}

async function failure(response) {
  let detail = null;
  try {
    ({ detail } = await response.json());
  } catch {
    // No JSON: a proxy has answered.
  }
  if (typeof detail === "string") return new ApiError(response.status, detail, named(detail));
  if (Array.isArray(detail)) {
    const fields = Object.fromEntries(
      detail.map(({ loc, msg }) => [loc.slice(1).join("."), msg.replace(/^Value error, /, "")]),
    );
    const message = detail.map(({ loc, msg }) => `${loc.slice(1).join(".")}: ${msg}`).join("; ");
    return new ApiError(response.status, message, fields, detail);
  }
  if (detail && typeof detail === "object") {
    return new ApiError(response.status, detail.message ?? JSON.stringify(detail), {}, detail);
  }
  return new ApiError(response.status, texts.failed(response.status));
}

// "'name' must not be empty" is about the field `name`.
function named(sentence) {
  const [, field, rest] = /^'(\w+)' ((?:must|may|value) .+)$/s.exec(sentence) ?? [];
  return field ? { [field]: rest[0].toUpperCase() + rest.slice(1) } : {};
}
