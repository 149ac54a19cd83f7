import { useCallback, useEffect, useRef, useState } from "react";
import { auth, messageOf } from "./edge";

export interface Live<T> {
  data: T | undefined;
  /** Why the last look failed; what was seen before stays. */
  error: string | undefined;
  /** The first look is under way. */
  isLoading: boolean;
  /** Looks at once. */
  refresh: () => void;
}

/**
 * Looks again every so often, one look at a time, and not while nobody sees the page.
 * @param every In ms; undefined: once.
 * @param key Another one begins anew.
 */
export function useLive<T>(look: (signal: AbortSignal) => Promise<T>, every: number | undefined, key = ""): Live<T> {
  const [state, setState] = useState<{ data?: T; error?: string; key: string }>({ key });
  const latest = useRef(look);
  latest.current = look;
  const wake = useRef<() => void>(() => undefined);

  useEffect(() => {
    const ended = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isLooking = false;
    let isWanted = false;
    const run = async () => {
      clearTimeout(timer);
      if (isLooking) {
        isWanted = true;
        return;
      }
      isLooking = true;
      try {
        const data = await latest.current(ended.signal);
        if (!ended.signal.aborted) setState({ data, key });
      } catch (error) {
        if (!ended.signal.aborted) setState((before) => ({ ...(before.key === key ? before : {}), error: messageOf(error), key }));
      }
      isLooking = false;
      if (ended.signal.aborted) return;
      if (isWanted) {
        isWanted = false;
        void run();
      } else if (every !== undefined && !document.hidden) {
        timer = setTimeout(() => void run(), every);
      }
    };
    const seen = () => {
      if (!document.hidden && every !== undefined) void run();
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
  }, [every, key]);

  const refresh = useCallback(() => wake.current(), []);
  const isCurrent = state.key === key;
  const data = isCurrent ? state.data : undefined;
  const error = isCurrent ? state.error : undefined;
  return { data, error, isLoading: data === undefined && error === undefined, refresh };
}
