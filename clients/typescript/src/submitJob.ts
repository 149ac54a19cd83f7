import { EdgeCalls } from "./edgeCalls.js";
import { Outage } from "./outage.js";

export interface SubmitOptions {
  /** Address of the edge, such as `http://127.0.0.1:11434`. */
  baseUrl: string;
  /** Of an `/api/chat` or `/api/generate` call, with a `strategy` or without. */
  body: unknown;
  /** Sent as bearer. */
  key?: string;
  /** The submission's own, of visible ASCII characters; give it where the program that submits may be started anew in the middle. */
  idempotencyKey?: string;
  /** Ends the trying; the job may have been taken on. */
  signal?: AbortSignal;
}

/** What `POST /jobs` answers. */
export interface SubmittedJob {
  id: string;
  status: string;
}

/**
 * Submits a background job once, however often it takes: under an `Idempotency-Key`, so that what lost its answer can be sent again. An edge that is
 * away for a while, or has too much to do (429, 500 and above), is asked again, for as long as `signal` lets it.
 * @throws RefusedError where the edge refuses, such as with 404 for a model that it does not know.
 */
export async function submitJob(options: SubmitOptions): Promise<SubmittedJob> {
  const edge = new EdgeCalls(options);
  const idempotencyKey = options.idempotencyKey ?? crypto.randomUUID();
  const body = JSON.stringify(options.body);
  // A 409 says that what came first is being taken on.
  const outage = new Outage([409]);
  for (;;) {
    options.signal?.throwIfAborted();
    const submitted = await outage.bridge(async () => {
      const response = await edge.call("/jobs", "POST", { "Idempotency-Key": idempotencyKey }, body);
      return (await response.json()) as SubmittedJob;
    });
    if (submitted !== undefined) return submitted;
    await sleep(outage.left, options.signal);
  }
}

/** Ends with the signal too. */
async function sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let wake = () => {};
  await new Promise<void>((resolve) => {
    wake = resolve;
    timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", wake);
  });
  clearTimeout(timer);
  signal?.removeEventListener("abort", wake);
}
