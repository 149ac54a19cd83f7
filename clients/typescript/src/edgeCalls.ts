import { RefusedError } from "./refusedError.js";

export interface EdgeOptions {
  baseUrl: string;
  key?: string;
  signal?: AbortSignal;
}

/** Calls of an edge, with the key. */
export class EdgeCalls {
  readonly #baseUrl: string;
  readonly #headers: Record<string, string>;
  readonly #signal: AbortSignal | undefined;

  constructor(options: EdgeOptions) {
    this.#baseUrl = options.baseUrl.replace(/\/+$/, "");
    this.#headers = options.key ? { Authorization: `Bearer ${options.key}` } : {};
    this.#signal = options.signal;
    // A TypeError for an address that is none, or a key that no header can carry, is to come now: later it means that nobody answers.
    new Request(this.#baseUrl, { headers: this.#headers });
  }

  /** @throws RefusedError for an answer that is no success; a TypeError where there is none. */
  async call(path: string, method: string, headers: Record<string, string> = {}, body: string | null = null): Promise<Response> {
    const response = await fetch(this.#baseUrl + path, { method, headers: { ...this.#headers, ...headers }, body, signal: this.#signal ?? null });
    if (!response.ok) throw new RefusedError(response.status, `${method} ${path}: ${response.status} ${await response.text()}`);
    return response;
  }
}
