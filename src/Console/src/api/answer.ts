import { RefusedError } from "../../../../clients/typescript/src/refusedError";
import { auth, baseUrl, call, messageOf } from "./edge";
import { type Job } from "./types";
import { nameOfWorker } from "./workers";

/** Where in an answer another worker went on. */
export interface Takeover {
  /** Characters of the text before it. */
  at: number;
  /** Name of the worker that did not come to the end. */
  from: string;
  reason: string;
}

export interface Answer {
  state: "running" | "done" | "stopped" | "failed";
  text: string;
  thinking?: string;
  error?: string;
  /** queued or running, while there is no text. */
  phase?: string;
  /** Name of the worker that gives it. */
  worker?: string;
  takeovers: Takeover[];
  /** Seconds from the question to the first text, as seen here. */
  firstText?: number;
  tokens?: number;
  tokensPerSecond?: number;
}

export interface Ask {
  model: string;
  messages: { role: string; content: string }[];
  options?: Record<string, number>;
  format?: unknown;
}

export const unanswered: Answer = { state: "running", text: "", takeovers: [], phase: "queued" };

/** How long without text until somebody asks what the job is doing, in ms. */
const QuietFor = 1500;

export interface Following {
  /** When the question was asked, by this page's clock; where that is not known the time to the first text is not either. */
  askedAt?: number;
  /** What became of an answer whose job the edge does not know any more; undefined: nobody knows. */
  whenGone?: () => Promise<Partial<Answer> | undefined>;
}

/**
 * Submits a question as a job and follows it. Its tokens come directly from the worker.
 * @param update Takes what has changed.
 * @param taken Told the job's id.
 * @param stop Cancels the job.
 */
export async function ask(question: Ask, update: (change: Partial<Answer>) => void, taken: (job: string) => void, stop: AbortSignal, whenGone?: Following["whenGone"]): Promise<void> {
  const askedAt = performance.now();
  try {
    const { id } = await call<Job>("jobs", { body: question });
    taken(id);
    await follow(id, update, stop, { askedAt, whenGone });
  } catch (error) {
    update({ state: "failed", error: messageOf(error) });
  }
}

/** An answer is kept here, the edge need not keep it too. That it could not be deleted there does no harm: it goes by itself, later. */
export async function forget(id: string): Promise<void> {
  await call(`jobs/${id}`, { method: "DELETE" }).catch(() => undefined);
}

/** Follows a job that somebody has submitted, from its begin. */
export async function follow(id: string, update: (change: Partial<Answer>) => void, stop: AbortSignal, { askedAt, whenGone }: Following = {}): Promise<void> {
  const progress = new Progress(id, update);
  const cancel = async () => {
    update({ state: "stopped" });
    await call(`jobs/${id}`, { method: "DELETE" });
  };
  let looking: Promise<void> | undefined;
  const timer = setInterval(() => {
    // What it says once shows; that it could not be asked will show by the answer itself.
    if (progress.quietSince + QuietFor < performance.now()) looking ??= progress.look().then(() => undefined, () => undefined).finally(() => (looking = undefined));
  }, QuietFor);
  try {
    if (!stop.aborted) {
      const { followJob } = await import("../../../../clients/typescript/src/followJob");
      for await (const event of followJob({ baseUrl, id, signal: stop, ...(auth.key ? { key: auth.key } : {}) })) {
        if (event.text && askedAt !== undefined && !progress.text) update({ firstText: (performance.now() - askedAt) / 1000 });
        progress.add(event.text, event.offset, event.attempt);
        if (!event.end) continue;
        await looking;
        await progress.end(event.end);
        return;
      }
    }
    await cancel();
  } catch (error) {
    if (stop.aborted) await cancel();
    else if (error instanceof RefusedError && error.status === 404) update((await whenGone?.()) ?? { state: "failed", error: "the job is not known any more" });
    else update({ state: "failed", error: messageOf(error) });
  } finally {
    clearInterval(timer);
  }
}

/** An answer so far, and which of its tokens end where in the text: attempts are told in tokens. */
class Progress {
  text = "";
  quietSince = performance.now();
  #ends: { tokens: number; length: number }[] = [{ tokens: 0, length: 0 }];
  #attempt = 0;

  constructor(
    readonly id: string,
    readonly update: (change: Partial<Answer>) => void,
  ) {}

  add(text: string, tokens: number, attempt: number | undefined): void {
    if (text) {
      this.text += text;
      this.quietSince = performance.now();
      this.#ends.push({ tokens, length: this.text.length });
      this.update({ text: this.text });
    }
    if (attempt !== undefined && attempt > this.#attempt) {
      this.#attempt = attempt;
      void this.look().catch(() => undefined);
    }
  }

  /** Asks who is at it, and who was before. */
  async look(): Promise<Job> {
    const job = await call<Job>(`jobs/${this.id}`);
    const change: Partial<Answer> = { phase: job.status };
    if (job.worker_id) change.worker = await nameOfWorker(job.worker_id);
    change.takeovers = await Promise.all(
      // What never wrote a token leaves no trace in the answer, unless it was the first.
      job.failed_attempts.map(async (failed) => ({ at: this.#lengthAt(failed.tokens), from: await nameOfWorker(failed.worker_id), reason: failed.reason })),
    );
    this.update(change);
    return job;
  }

  async end(line: { status?: string; error?: string; [figure: string]: unknown }): Promise<void> {
    const tokens = Number(line["eval_count"] ?? NaN);
    const nanoseconds = Number(line["eval_duration"] ?? NaN);
    const job = await this.look().catch(() => undefined);
    const thinking = job?.result?.message?.thinking;
    this.update({
      state: line.status === "completed" ? "done" : line.status === "cancelled" ? "stopped" : "failed",
      ...(line.error ? { error: line.error } : {}),
      ...(thinking ? { thinking } : {}),
      ...(Number.isNaN(tokens) ? {} : { tokens }),
      ...(nanoseconds > 0 ? { tokensPerSecond: (tokens / nanoseconds) * 1e9 } : {}),
    });
  }

  #lengthAt(tokens: number): number {
    return this.#ends.findLast((end) => end.tokens <= tokens)?.length ?? 0;
  }
}
