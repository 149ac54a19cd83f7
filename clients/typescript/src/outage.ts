import { RefusedError } from "./refusedError.js";

/** A time in which the edge does not answer, or says that it cannot now: what is asked then is asked again, after pauses that grow. */
export class Outage {
  readonly #passing: readonly number[];
  #failures = 0;
  #over = 0;

  /** @param passing Statuses that pass as well, beside 429 and those from 500 on; 501 says that there is no such thing at this edge. */
  constructor(passing: readonly number[] = []) {
    this.#passing = passing;
  }

  /** Until the edge is to be asked (again), in ms. */
  get left(): number {
    return Math.max(0, this.#over - performance.now());
  }

  end(): void {
    this.#failures = 0;
    this.#over = 0;
  }

  /** @throws The error, where asking again would not help. */
  note(error: unknown): void {
    const isPassing = error instanceof RefusedError ? error.status === 429 || (error.status >= 500 && error.status !== 501) || this.#passing.includes(error.status) : error instanceof TypeError;
    if (!isPassing) throw error;
    this.#over = performance.now() + Math.min(250 * 2 ** this.#failures++, 10_000);
  }

  /** Undefined where the edge is away. */
  async bridge<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      const done = await work();
      this.end();
      return done;
    } catch (error) {
      this.note(error);
      return undefined;
    }
  }
}
