import { useSyncExternalStore } from "react";
import { messageOf, send } from "../api/edge";
import { read, type Sample } from "./metrics";

/** In ms. */
const Every = 5000;

/** The last hour. */
const Kept = 3_600_000 / Every;

export interface Recording {
  samples: readonly Sample[];
  error?: string;
}

let recording: Recording = { samples: [] };
let isRunning = false;
const listeners = new Set<() => void>();

/** Reads /metrics from the first use on, for as long as the console is open, whichever page is shown. */
export function useRecording(): Recording {
  return useSyncExternalStore(subscribe, () => recording);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  if (!isRunning) {
    isRunning = true;
    void look();
  }
  return () => listeners.delete(listener);
}

async function look(): Promise<void> {
  try {
    const sample = read(await (await send("metrics")).text(), Date.now() / 1000);
    recording = { samples: [...recording.samples.slice(-(Kept - 1)), sample] };
  } catch (error) {
    recording = { samples: recording.samples, error: messageOf(error) };
  }
  for (const listener of listeners) listener();
  setTimeout(() => void look(), Every);
}
