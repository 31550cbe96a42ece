// What a view shows of the API, kept up to date.
import { isAway, version } from "../changes.js";
import { useCallback, useEffect, useRef, useState } from "../lib.js";

// {data, error, isLoading, reload}: what `load(signal)` gives, anew whenever one of `inputs` is another one
// or something of these kinds has changed; what has failed, when the gateway is back. What was there stays
// while it is loaded again, or fails.
export function useData(load, inputs = [], kinds = []) {
  const [state, setState] = useState({ data: null, error: null, isLoading: true });
  const running = useRef(null);
  const versions = kinds.map((kind) => version(kind).value);
  const reload = useCallback(async () => {
    running.current?.abort();
    const controller = new AbortController();
    running.current = controller;
    try {
      const data = await load(controller.signal);
      if (!controller.signal.aborted) setState({ data, error: null, isLoading: false });
    } catch (error) {
      if (!controller.signal.aborted) setState((before) => ({ ...before, error, isLoading: false }));
    }
  }, inputs);
  useEffect(() => {
    setState({ data: null, error: null, isLoading: true });
  }, inputs);
  useEffect(() => {
    reload();
    return () => running.current?.abort();
  }, [reload, ...versions]);
  const isBack = !isAway.value;
  useEffect(() => { if (isBack && state.error) reload(); }, [isBack]);
  return { ...state, reload };
}

// Calls `work` every so many ms while the page is seen.
export function useInterval(work, ms) {
  const latest = useRef(work);
  latest.current = work;
  useEffect(() => {
    const timer = setInterval(() => { if (!document.hidden) latest.current(); }, ms);
    return () => clearInterval(timer);
  }, [ms]);
}
