import { useSyncExternalStore } from "react";
import { auth, isDenial, messageOf, send } from "../api/edge";
import { read as sampleOf, type Sample } from "./metrics";

/** In ms. */
const Every = 5000;

/** The last hour, in s. */
const Kept = 3600;

export interface Recording {
  samples: readonly Sample[];
  error?: string;
}

let recording: Recording = { samples: [] };
let isRunning = false;
let isDenied = false;
let timer: ReturnType<typeof setTimeout> | undefined;
const listeners = new Set<() => void>();

/** Reads /metrics from the first use on, for as long as the console is open, whichever page is shown; not while nobody sees it, nor with a key that was refused. */
export function useRecording(): Recording {
  return useSyncExternalStore(subscribe, () => recording);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  if (!isRunning) {
    isRunning = true;
    document.addEventListener("visibilitychange", () => isDenied || look());
    auth.subscribe(() => auth.isWanted || look());
    look();
  }
  return () => listeners.delete(listener);
}

let looking: Promise<void> | undefined;

/** Now, and then every so often. */
function look(): void {
  clearTimeout(timer);
  if (document.hidden) return;
  looking ??= read().finally(() => {
    looking = undefined;
    if (!isDenied) timer = setTimeout(look, Every);
  });
}

async function read(): Promise<void> {
  const used = auth.key;
  try {
    const sample = sampleOf(await (await send("metrics")).text(), Date.now() / 1000);
    recording = { samples: [...recording.samples.filter((before) => before.at > sample.at - Kept), sample] };
    isDenied = false;
  } catch (error) {
    recording = { samples: recording.samples, error: messageOf(error) };
    // Another key may have been given meanwhile.
    isDenied = isDenial(error) && used === auth.key;
  }
  for (const listener of listeners) listener();
}
