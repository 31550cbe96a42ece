// The client of OpenAI's API: asks one thing and tells what it made of the answer. The scenario is
// JSON on stdin: {url, token, ask: "chat" | "chunks" | "helper" | "response" | "events" | "models",
// body, abortAfter}; on stdout is a line of JSON.
import OpenAI from "openai";
import { text } from "node:stream/consumers";

const { url, token, ask, body, abortAfter } = JSON.parse(await text(process.stdin));
const client = new OpenAI({ baseURL: url, apiKey: token, maxRetries: 0 });

async function collect(stream) {
  const told = [];
  for await (const each of stream) {
    told.push(each);
    if (told.length === abortAfter) stream.controller.abort();
  }
  return told;
}

const ways = {
  models: async () => (await collect(client.models.list())).map((model) => model.id),
  chat: () => client.chat.completions.create(body),
  chunks: async () => collect(await client.chat.completions.create({ ...body, stream: true })),
  helper: () => client.chat.completions.stream(body).finalContent(),
  response: async () => (await client.responses.create(body)).output_text,
  events: async () => collect(await client.responses.create({ ...body, stream: true })),
};

try {
  console.log(JSON.stringify({ told: await ways[ask]() }));
} catch (error) {
  const { name, status, type, param, code, message } = error;
  console.log(JSON.stringify({ error: { name, status, type, param, code, message } }));
}
