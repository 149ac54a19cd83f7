/** Calls to the edge that serves this page, and the key for them. */
import { readLines } from "../../../../clients/typescript/src/readLines";

const KeyName = "ollamamax.key";

/** Where the API begins: the page lies at `<base>/console/`, or at `<base>/` while it is worked on. Without a slash at the end. */
export const baseUrl = location.origin + location.pathname.replace(/\/(console(\/.*)?)?$/, "");

/** The edge's own address, for others: where the page was opened under a key's path, {@link baseUrl} holds that key. */
export const edgeUrl = baseUrl.replace(/\/k\/[^/]+$/, "");

/** The key lives as long as the tab does; it is never written anywhere else. */
let key = sessionStorage.getItem(KeyName) ?? undefined;
const keyListeners = new Set<() => void>();
let wanted = false;

export const auth = {
  get key(): string | undefined {
    return key;
  },
  /** Whether the edge has refused us for want of a (right) key. */
  get isWanted(): boolean {
    return wanted;
  },
  use(given: string | undefined): void {
    key = given || undefined;
    wanted = false;
    if (key) sessionStorage.setItem(KeyName, key);
    else sessionStorage.removeItem(KeyName);
    changed();
  },
  subscribe(listener: () => void): () => void {
    keyListeners.add(listener);
    return () => keyListeners.delete(listener);
  },
};

function changed(): void {
  for (const listener of keyListeners) listener();
}

/** What the edge answered instead of what was asked for. */
export class EdgeError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** Whether this key, or none, is refused: asked again it will be again, and each time is written into the audit log. */
export const isDenial = (error: unknown): error is EdgeError => error instanceof EdgeError && (error.status === 401 || error.status === 403);

export interface CallOptions {
  method?: string;
  /** Sent as JSON. */
  body?: unknown;
  /** Sent as a form. */
  form?: FormData;
  signal?: AbortSignal;
  /** Only where what is there still has this tag; otherwise an EdgeError of status 412. */
  ifMatch?: string;
}

/** What was read, and the tag that it has until somebody changes it. */
export interface Tagged<T> {
  content: T;
  tag: string | null;
}

/** @throws EdgeError where the edge refuses; TypeError where nobody answers. */
export async function send(path: string, options: CallOptions = {}): Promise<Response> {
  const headers: Record<string, string> = {};
  const used = key;
  if (used) headers["Authorization"] = `Bearer ${used}`;
  if (options.body !== undefined) headers["Content-Type"] = "application/json";
  if (options.ifMatch !== undefined) headers["If-Match"] = options.ifMatch;
  const response = await fetch(`${baseUrl}/${path}`, {
    method: options.method ?? (options.body === undefined && !options.form ? "GET" : "POST"),
    headers,
    body: options.form ?? (options.body === undefined ? null : JSON.stringify(options.body)),
    signal: options.signal ?? null,
    credentials: "omit",
    cache: "no-store",
  });
  if (response.ok) return response;
  // Another key may have been given meanwhile.
  if (response.status === 401 && used === key && !wanted) {
    wanted = true;
    changed();
  }
  throw new EdgeError(response.status, await errorOf(response));
}

export async function call<T>(path: string, options: CallOptions = {}): Promise<T> {
  // Some calls answer nothing.
  const text = await (await send(path, options)).text();
  return (text ? JSON.parse(text) : undefined) as T;
}

export async function callTagged<T>(path: string, options: CallOptions = {}): Promise<Tagged<T>> {
  const response = await send(path, options);
  return { content: (await response.json()) as T, tag: response.headers.get("ETag") };
}

/** The lines of an NDJSON answer as they come. */
export async function* lines<T>(path: string, options: CallOptions = {}): AsyncGenerator<T, void, undefined> {
  yield* readLines<T>(await send(path, options));
}

/** The message in the shape of whichever API answered. */
async function errorOf(response: Response): Promise<string> {
  const text = await response.text();
  try {
    const { error } = JSON.parse(text) as { error?: string | { message?: string } };
    const message = typeof error === "string" ? error : error?.message;
    if (message) return message;
  } catch {
    // No JSON: something between the edge and us has answered.
  }
  return text.slice(0, 300) || `${response.status} ${response.statusText}`;
}

export const messageOf = (error: unknown): string =>
  error instanceof EdgeError ? error.message : error instanceof TypeError ? "the edge does not answer" : String(error instanceof Error ? error.message : error);
