import { useCallback, useEffect, useRef, useState } from "react";
import { auth, isDenial, messageOf } from "./edge";

export interface Live<T> {
  data: T | undefined;
  /** Why the last look failed; what was seen before stays. */
  error: string | undefined;
  /** The first look is under way. */
  isLoading: boolean;
  /** Looks at once. */
  refresh: () => void;
}

export type Every<T> = number | undefined | ((data: T | undefined) => number | undefined);

/**
 * Looks again every so often, one look at a time, and not while nobody sees the page. Whom the edge has turned away looks again with another key.
 * @param every In ms; undefined: once, or no more. It may depend on what has come last, which is undefined while nothing has.
 * @param key Another one begins anew.
 */
export function useLive<T>(look: (signal: AbortSignal) => Promise<T>, every: Every<T>, key = ""): Live<T> {
  const [state, setState] = useState<{ data?: T; error?: string; key: string }>({ key });
  const latest = useRef(look);
  latest.current = look;
  const pause = useRef(every);
  pause.current = every;
  const fixed = typeof every === "function" ? undefined : every;
  const wake = useRef<() => void>(() => undefined);

  useEffect(() => {
    const ended = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isLooking = false;
    let isWanted = false;
    let isDenied = false;
    let last: T | undefined;
    const wait = () => (isDenied ? undefined : typeof pause.current === "function" ? pause.current(last) : pause.current);
    const run = async () => {
      clearTimeout(timer);
      if (isLooking) {
        isWanted = true;
        return;
      }
      isLooking = true;
      try {
        const data = await latest.current(ended.signal);
        last = data;
        isDenied = false;
        if (!ended.signal.aborted) setState({ data, key });
      } catch (error) {
        isDenied = isDenial(error);
        if (!ended.signal.aborted) setState((before) => ({ ...(before.key === key ? before : {}), error: messageOf(error), key }));
      }
      isLooking = false;
      if (ended.signal.aborted) return;
      if (isWanted) {
        isWanted = false;
        void run();
        return;
      }
      const every = wait();
      if (every !== undefined && !document.hidden) timer = setTimeout(() => void run(), every);
    };
    const seen = () => {
      if (!document.hidden && wait() !== undefined) void run();
    };
    wake.current = () => void run();
    document.addEventListener("visibilitychange", seen);
    const unsubscribe = auth.subscribe(() => void (auth.isWanted || run()));
    void run();
    return () => {
      ended.abort();
      clearTimeout(timer);
      unsubscribe();
      document.removeEventListener("visibilitychange", seen);
    };
  }, [fixed, key]);

  const refresh = useCallback(() => wake.current(), []);
  const isCurrent = state.key === key;
  const data = isCurrent ? state.data : undefined;
  const error = isCurrent ? state.error : undefined;
  return { data, error, isLoading: data === undefined && error === undefined, refresh };
}
