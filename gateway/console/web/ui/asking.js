// Something that is asked, and what happens to that until it is answered.
import { events, post } from "../api.js";
import { useEffect, useRef, useState } from "../lib.js";

const AGAIN_MS = 1000; // after which a stream that broke is opened again
const NOTHING = { asked: null, logs: [], parts: {}, answer: null, error: "", isRunning: false };

// {asked, logs, parts, answer, error, isRunning, ask, cancel}: `ask(start)` asks by what `start()` posts, which answers
// {request_id, session_id, seq}. `parts` has the texts that are being made, by the ids of their agents ("" the answer's).
export function useAsking() {
  const [state, setState] = useState(NOTHING);
  const running = useRef(null);
  useEffect(() => () => running.current?.abort(), []);

  const ask = async (start) => {
    running.current?.abort();
    const controller = new AbortController();
    running.current = controller;
    setState({ ...NOTHING, isRunning: true });
    try {
      const asked = await start();
      if (controller.signal.aborted) return;
      setState((before) => ({ ...before, asked }));
      follow(asked, controller.signal, setState);
    } catch (error) {
      setState(NOTHING);
      throw error;
    }
  };
  const cancel = () => post(`/api/requests/${state.asked.request_id}/cancel`, {});
  return { ...state, ask, cancel };
}

async function follow(asked, signal, setState) {
  let after = asked.seq;
  while (!signal.aborted) {
    try {
      for await (const frame of events(`/api/sessions/${asked.session_id}/events`, { query: { after }, signal })) {
        after = frame.seq ?? after;
        setState((before) => told(before, frame, asked.request_id));
        if (frame.type === "agent_response" && frame.response.request_id === asked.request_id) return;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error.status >= 400 && error.status < 500 && error.status !== 429) {
        setState((before) => ({ ...before, isRunning: false, error: error.message }));
        return;
      }
    }
    await new Promise((done) => setTimeout(done, AGAIN_MS));
  }
}

function told(before, frame, requestId) {
  if (frame.type === "agent_log" && frame.log.request_id === requestId) return { ...before, logs: [...before.logs, frame.log] };
  if (frame.type === "delta" && frame.request_id === requestId) {
    const of = frame.agent_id ?? "";
    const text = frame.index === 0 ? frame.text : (before.parts[of] ?? "") + frame.text;
    return { ...before, parts: { ...before.parts, [of]: text } };
  }
  if (frame.type === "agent_response" && frame.response.request_id === requestId) {
    return { ...before, answer: frame.response, error: frame.error ?? "", isRunning: false };
  }
  return before;
}
