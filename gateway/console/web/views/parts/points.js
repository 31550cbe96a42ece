// What plots show of the answers of `/api/parts`: differences of one process over a while.
import { parseTime } from "../../ui/basics.js";

const SHORT = 10; // seconds over which frequent things are counted
export const LONG = 60; // and rare ones

const CURVES = {
  http: (over) => over(SHORT).rate("http_requests."),
  frames: (over) => over(SHORT).rate("frames."),
  chats: (over) => minutely(over(LONG).rate("requests_ended.")),
  refused: (over) => minutely(over(LONG).rate("http_requests.5xx")),
  failed: (over) => minutely(over(LONG).rate("requests_ended.failed", "requests_ended.timed_out", "requests_ended.interrupted")),
  http50: (over) => over(LONG).percentile("http_request_duration_seconds", 0.5),
  http99: (over) => over(LONG).percentile("http_request_duration_seconds", 0.99),
  chat50: (over) => over(LONG).percentile("request_delivery_seconds", 0.5),
  chat99: (over) => over(LONG).percentile("request_delivery_seconds", 0.99),
  lagGateways: (over) => over(SHORT).percentile("loop_lag_seconds", 0.99, "gateway"),
  lagBridges: (over) => over(SHORT).percentile("loop_lag_seconds", 0.99, "agent_bridge"),
  memoryGateways: (_, now) => gauge(now, "memory_bytes", "gateway"),
  memoryBridges: (_, now) => gauge(now, "memory_bytes", "agent_bridge"),
  waiting: (_, now) => now.queue?.waiting ?? null,
  running: (_, now) => now.queue?.running ?? null,
};
export const NAMES = Object.keys(CURVES);

// {at, …a number of each name, or null where nothing is known of it}; `answers` of the last LONG seconds, oldest first.
export function pointOf(answers) {
  const now = answers.at(-1);
  const pairs = { [SHORT]: pairsOf(answers, SHORT), [LONG]: pairsOf(answers, LONG) };
  const over = (seconds) => counting(pairs[seconds]);
  return { at: timeOf(now), ...Object.fromEntries(NAMES.map((name) => [name, CURVES[name](over, now)])) };
}

export const timeOf = (answer) => parseTime(answer.at) / 1000;
const minutely = (rate) => (rate === null ? null : rate * 60);

// Each process as it is now, and as it was in the first of these seconds in which it was there.
function pairsOf(answers, seconds) {
  const now = answers.at(-1);
  const before = answers.slice(0, -1).filter((answer, at) => at === answers.length - 2 || timeOf(now) - timeOf(answer) <= seconds + 1);
  const pairs = [];
  for (const process of now.processes) {
    for (const answer of before) {
      const earlier = answer.processes.find(({ id }) => id === process.id);
      const elapsed = earlier ? (parseTime(process.told_at) - parseTime(earlier.told_at)) / 1000 : 0;
      if (elapsed > 0) {
        pairs.push({ process, earlier, elapsed });
        break;
      }
    }
  }
  return pairs;
}

const counting = (pairs) => ({
  // By how much counters of these names, or of all that begin so, have grown in a second, at all processes.
  rate(...names) {
    if (!pairs.length) return null;
    const isMeant = (name) => names.some((each) => (each.endsWith(".") ? name.startsWith(each) : name === each));
    let sum = 0;
    for (const { process, earlier, elapsed } of pairs) {
      for (const [name, value] of Object.entries(process.counters)) {
        if (isMeant(name)) sum += (value - (earlier.counters[name] ?? 0)) / elapsed;
      }
    }
    return sum;
  },
  percentile(name, share, service) {
    const grown = [];
    for (const { process, earlier } of pairs) {
      if (service && process.service !== service) continue;
      const { bounds = [], counts = [] } = process.distributions[name] ?? {};
      const old = earlier.distributions[name]?.counts ?? [];
      grown.push({ bounds, counts: counts.map((count, at) => count - (old[at] ?? 0)) });
    }
    return percentileOf(grown, share);
  },
});

// Where so large a share of all is reached; versions with other bounds than the first are left out.
export function percentileOf(distributions, share) {
  const counted = distributions.filter(({ counts }) => counts.some((count) => count > 0));
  if (!counted.length) return null;
  const { bounds } = counted[0];
  const like = counted.filter((each) => String(each.bounds) === String(bounds));
  const counts = like[0].counts.map((_, at) => like.reduce((sum, each) => sum + each.counts[at], 0));
  let missing = share * counts.reduce((sum, count) => sum + count, 0);
  for (const [at, count] of counts.entries()) {
    if (count > 0 && missing <= count) {
      const low = at ? bounds[at - 1] : 0;
      return at < bounds.length ? low + (bounds[at] - low) * (missing / count) : bounds.at(-1);
    }
    missing -= count;
  }
  return bounds.at(-1);
}

function gauge(answer, name, service) {
  const those = answer.processes.filter((process) => process.service === service);
  return those.length ? those.reduce((sum, process) => sum + (process.gauges[name] ?? 0), 0) : null;
}
