// How far a flow that runs is, as log entries and the trace of its answer tell.

// For each member "waiting", "working", "done" or "failed".
export function progressOf(members, { logs, parts, answer, error, isRunning }) {
  let at = -1;
  const reach = (isIt) => {
    if (at >= 0 && isIt(members[at])) return;
    const later = members.findIndex((member, place) => place > at && isIt(member));
    if (later >= 0) at = later;
  };
  for (const log of logs) reach(({ id, alias }) => log.agent_id === id || (alias && log.message.includes(alias)));
  for (const id of Object.keys(parts)) reach((member) => member.id === id);
  if (answer && answer.is_success && !error) return members.map(() => "done");
  const steps = answer?.response.agents_trace.length ?? 0;
  if (at < 0 && isRunning) at = 0;
  return members.map((_, place) => {
    if (place < at) return "done";
    if (place > at) return "waiting";
    return isRunning ? "working" : steps > place + 1 ? "done" : "failed";
  });
}

// What each member has said: the steps of the trace, which go through the members in their order.
export function saidBy(members, trace) {
  const steps = [...trace.flatMap((step) => [step, ...(step?.agents_trace ?? step?.flow ?? [])])];
  return members.map(({ id, alias }) => {
    const found = steps.findIndex((step) => step?.id === id || (alias && step?.name === alias));
    const step = found < 0 ? null : steps.splice(0, found + 1).at(-1);
    return step && step.output !== undefined ? textOf(step.output) : null;
  });
}

const textOf = (value) => (typeof value === "string" ? value : JSON.stringify(value));
