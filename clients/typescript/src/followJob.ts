import { HubConnectionBuilder, LogLevel, type HubConnection } from "@microsoft/signalr";
import { EdgeCalls } from "./edgeCalls.js";
import { JobText, type JobLine, type JobProgress } from "./jobText.js";
import { Outage } from "./outage.js";
import { readLines } from "./readLines.js";
import { RefusedError } from "./refusedError.js";

export interface FollowOptions {
  /** Address of the edge, such as `http://127.0.0.1:11434`. */
  baseUrl: string;
  /** The job's id, as `POST /jobs` answered it. */
  id: string;
  /** Tokens that you have already: the last `offset` that you were given. */
  after?: number;
  /** Sent as bearer with each call to the edge. */
  key?: string;
  /** Ends the following; the job goes on. */
  signal?: AbortSignal;
  /** Without a word for this long the stream is asked, in ms: what SignalR lost is lost in silence. */
  quietAfter?: number;
}

export interface JobEvent {
  /** Tokens of the answer so far. */
  offset: number;
  /** What is new; append it. */
  text: string;
  /** The worker's try that this text is of, where it came over SignalR: with a greater one than before another worker has taken over. */
  attempt?: number;
  /** Set in the last event: status, error and figures of the job. */
  end?: JobLine;
}

/**
 * Yields a background job's text, from `after` on and to its end. Tokens come directly from the worker over SignalR, so that no
 * request is held open while they flow; what was lost on the way, and the end, come from `GET /jobs/{id}/stream`.
 * An edge that is away for a while, or has too much to do (429, 500 and above), is asked again, for as long as it takes.
 * @throws RefusedError where the edge refuses, such as with 404 for a job that it does not know. Losing the connection is no error.
 */
export async function* followJob(options: FollowOptions): AsyncGenerator<JobEvent, void, undefined> {
  const edge = new JobCalls(options);
  const text = new JobText(options.after ?? 0);
  const inbox = new Inbox();
  const outage = new Outage();
  const isAborted = () => options.signal?.aborted === true;
  const aborted = () => inbox.wake();
  options.signal?.addEventListener("abort", aborted);
  // Listening before reading: what is added in between is heard, and what was added before is read. Undefined while nobody has said where to listen.
  let connection: HubConnection | null | undefined;
  try {
    while (connection === undefined && !isAborted()) {
      connection = await outage.bridge(() => connect(edge, inbox));
      if (connection === undefined && !isAborted()) await inbox.wait(outage.left);
    }
    let stale = true;
    while (!isAborted()) {
      if (stale && outage.left === 0) {
        try {
          for await (const line of edge.stream(text.offset, connection !== null)) {
            outage.end();
            const added = text.line(line);
            if (added || line.done) yield { offset: text.offset, text: added, ...(line.done ? { end: line } : {}) };
            if (line.done) return;
          }
          outage.end();
          stale = false;
        } catch (error) {
          outage.note(error);
        }
      }
      if (inbox.isEmpty && !isAborted() && !(await inbox.wait(stale ? outage.left : (options.quietAfter ?? 5000)))) stale = true;
      for (const progress of inbox.take()) {
        const added = progress === "reconnected" ? "gap" : text.push(progress);
        if (added === "gap") stale = true;
        else if (added.text && progress !== "reconnected") yield { offset: text.offset, text: added.text, attempt: progress.attempt };
        if (progress !== "reconnected" && progress.ended) stale = true;
      }
    }
  } finally {
    options.signal?.removeEventListener("abort", aborted);
    await connection?.stop();
  }
}

/** Null where SignalR cannot be reached, or is not to have the text of the job, which is encrypted: the stream alone will do. */
async function connect(edge: JobCalls, inbox: Inbox): Promise<HubConnection | null> {
  const first = await edge.subscribe().catch((error: unknown) => {
    if (error instanceof RefusedError && error.status === 409) return null;
    throw error;
  });
  if (first === null) return null;
  let subscription = first;
  let subscribedAt = Date.now();
  // A token lives for a while only. One connection asks for it more than once, a later one needs another.
  const accessTokenFactory = async () => {
    if (Date.now() - subscribedAt > 60_000) {
      subscription = await edge.subscribe();
      subscribedAt = Date.now();
    }
    return subscription.accessToken;
  };
  const connection = new HubConnectionBuilder()
    .withUrl(subscription.url, { accessTokenFactory })
    .withAutomaticReconnect({ nextRetryDelayInMilliseconds: (retry) => Math.min(250 * 2 ** retry.previousRetryCount, 10_000) })
    .configureLogging(LogLevel.None)
    .build();
  connection.on("progress", (progress: JobProgress) => {
    if (progress.job_id === edge.id) inbox.put(progress);
  });
  connection.onreconnected(() => inbox.put("reconnected"));
  try {
    await connection.start();
    return connection;
  } catch {
    return null;
  }
}

type Message = JobProgress | "reconnected";

/** Messages that came, for the one who waits for them. */
class Inbox {
  #messages: Message[] = [];
  #wake: (() => void) | null = null;

  get isEmpty(): boolean {
    return this.#messages.length === 0;
  }

  put(message: Message): void {
    this.#messages.push(message);
    this.wake();
  }

  wake(): void {
    this.#wake?.();
  }

  take(): Message[] {
    const taken = this.#messages;
    this.#messages = [];
    return taken;
  }

  /** False when nothing came in time. */
  async wait(milliseconds: number): Promise<boolean> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      timer = setTimeout(resolve, milliseconds);
    });
    clearTimeout(timer);
    this.#wake = null;
    return !this.isEmpty;
  }
}

/** The calls about one job. */
class JobCalls {
  readonly id: string;
  readonly #edge: EdgeCalls;
  readonly #job: string;

  constructor(options: FollowOptions) {
    this.id = options.id;
    this.#edge = new EdgeCalls(options);
    this.#job = `/jobs/${encodeURIComponent(options.id)}`;
  }

  async subscribe(): Promise<{ url: string; accessToken: string }> {
    const response = await this.#edge.call(`${this.#job}/subscribe`, "POST");
    return (await response.json()) as { url: string; accessToken: string };
  }

  /**
   * Lines from a token on.
   * @param now Only what is there, and the end if it is: more will be pushed. Otherwise until the end.
   */
  async *stream(after: number, now: boolean): AsyncGenerator<JobLine, void, undefined> {
    const response = await this.#edge.call(`${this.#job}/stream?after=${after}${now ? "&follow=false" : ""}`, "GET");
    yield* readLines<JobLine>(response);
  }
}
