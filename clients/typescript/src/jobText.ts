/** What a worker sends to a job's subscribers: it may come twice, late, in any order, or never. */
export interface JobProgress {
  job_id: string;
  attempt: number;
  /** Tokens of the answer before this. */
  after: number;
  /** Tokens of the answer with this. */
  offset: number;
  text: string;
  /** The attempt has ended; only the stream tells how. */
  ended: boolean;
}

/** A line of `GET /jobs/{id}/stream`: these come in order and whole. */
export interface JobLine {
  offset: number;
  text: string;
  done?: boolean;
  status?: string;
  error?: string;
  [figure: string]: unknown;
}

/**
 * Puts a job's text together by two rules: nothing of an attempt older than the newest one heard of, and each token once. No I/O:
 * whoever drives it asks the stream for what is missing.
 */
export class JobText {
  #attempt = 0;
  #offset: number;

  /** @param offset Tokens that the reader has already. */
  constructor(offset = 0) {
    this.#offset = offset;
  }

  /** Tokens of the answer so far; where to go on from after a break. */
  get offset(): number {
    return this.#offset;
  }

  /** The text that is new with this, or `"gap"` where something before it is missing. */
  push(progress: JobProgress): { text: string } | "gap" {
    if (progress.attempt < this.#attempt) return { text: "" };
    this.#attempt = progress.attempt;
    if (progress.offset <= this.#offset) return { text: "" };
    // Text cannot be cut between tokens, so what overlaps is asked for as what is missing is.
    if (progress.after !== this.#offset) return "gap";
    this.#offset = progress.offset;
    return { text: progress.text };
  }

  /** The same for a line of the stream, which was asked for from {@link offset} on. */
  line(line: JobLine): string {
    if (line.offset < this.#offset) return "";
    this.#offset = line.offset;
    return line.text;
  }
}
