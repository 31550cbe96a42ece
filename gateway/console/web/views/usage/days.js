// Days, their sums, and how prices are said.
import { texts } from "../../texts.js";

const DAY = 86_400; // seconds
const SUMMED = ["requests", "input_tokens", "cached_tokens", "output_tokens", "unpriced_requests"];

const text = (date) => date.toISOString().slice(0, 10);
const before = (days) => text(new Date(Date.now() - days * DAY * 1000));

// The spans that one can choose, as the API takes them: by UTC.
export const SPANS = {
  month: () => ({}),
  days30: () => ({ from_day: before(29) }),
  days90: () => ({ from_day: before(89) }),
  year: () => ({ from_day: before(364) }),
};

// The sums of lines that are alike in `key`, in the order in which they come.
export function sumBy(lines, key) {
  const sums = new Map();
  for (const line of lines) {
    const sum = sums.get(line[key]) ?? { [key]: line[key], price: null, ...Object.fromEntries(SUMMED.map((each) => [each, 0])) };
    for (const each of SUMMED) sum[each] += line[each];
    if (line.price !== null) sum.price = (sum.price ?? 0) + line.price;
    sums.set(line[key], sum);
  }
  return [...sums.values()];
}

// Columns for a plot: each day from the first to the last, with nothing where nothing was used.
export function columnsOf(report, names) {
  const days = new Map(sumBy(report.days, "day").map((sum) => [sum.day, sum]));
  const at = [];
  for (let day = Date.parse(report.from_day) / 1000; day <= Date.parse(report.to_day) / 1000; day += DAY) at.push(day);
  return [at, ...names.map((name) => at.map((day) => days.get(text(new Date(day * 1000)))?.[name] ?? 0))];
}

export const dayOf = (seconds) => new Date(seconds * 1000).toLocaleDateString("en-GB", { timeZone: "UTC", month: "short", day: "numeric" });

const dollars = new Intl.NumberFormat("en", { style: "currency", currency: "USD", minimumFractionDigits: 2, maximumFractionDigits: 2 });
const cents = new Intl.NumberFormat("en", { style: "currency", currency: "USD", minimumSignificantDigits: 1, maximumSignificantDigits: 2 });
export const price = (value) => (value === null ? texts.usage.noPrice : (value && value < 0.1 ? cents : dollars).format(value));
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
export const compact = (value) => short.format(value);
export const whole = (value) => value.toLocaleString("en");
