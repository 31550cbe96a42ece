// Clients of MCP, of both generations of its SDK: does what the scenario on stdin says, {url, token,
// generation, mode, steps}, and tells on stdout what came of each step, as a line of JSON each.
import { text } from "node:stream/consumers";

const { url, token, generation, mode, steps } = JSON.parse(await text(process.stdin));
const { Client, StreamableHTTPClientTransport } =
  generation === 1
    ? {
        ...(await import("@modelcontextprotocol/sdk/client/index.js")),
        ...(await import("@modelcontextprotocol/sdk/client/streamableHttp.js")),
      }
    : await import("@modelcontextprotocol/client");

let changed;
const changes = new Promise((resolve) => (changed = resolve));
const client = new Client(
  { name: "test", version: "1" },
  {
    versionNegotiation: { mode },
    listChanged: { tools: { autoRefresh: true, debounceMs: 0, onChanged: (_, tools) => changed(tools) } },
  },
);
const headers = { Authorization: `Bearer ${token}` };
await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }));

const doing = {
  list: async () => (await client.listTools()).tools,
  resources: async () => (await client.listResources()).resources,
  read: async ({ uri }) => (await client.readResource({ uri })).contents,
  call: async ({ name, given, abortAfter }) => {
    const progress = [];
    const abort = new AbortController();
    const onprogress = (each) => {
      progress.push(each);
      if (progress.length === abortAfter) abort.abort();
    };
    const options = { onprogress, signal: abort.signal };
    const call = { name, arguments: given };
    const result = await (generation === 1 ? client.callTool(call, undefined, options) : client.callTool(call, options));
    return { ...result, progress };
  },
  changes: () => changes,
};
for (const { do: what, ...how } of steps) {
  const told = await doing[what](how).catch((error) => ({ failure: String(error), code: error.code }));
  console.log(JSON.stringify(told));
}
await client.close();
