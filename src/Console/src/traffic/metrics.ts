/** What /metrics says, summed up to what the plots show. */
export interface Sample {
  /** Unix time in seconds. */
  at: number;
  requests: number;
  /** By status. */
  errors: Record<string, number>;
  tokens: Record<string, number>;
  firstToken: Buckets;
  queueWait: Buckets;
  running: number;
  waiting: number;
}

/** A histogram: how many were at most so long, by seconds. */
export type Buckets = Map<number, number>;

const Line = /^([a-z_]+)(?:\{(.*)\})? (\S+)/;
const Label = /([a-z_]+)="((?:[^"\\]|\\.)*)"/g;

/** Reads Prometheus' text format (https://prometheus.io/docs/instrumenting/exposition_formats/). */
export function read(text: string, at: number): Sample {
  const sample: Sample = { at, requests: 0, errors: {}, tokens: {}, firstToken: new Map(), queueWait: new Map(), running: 0, waiting: 0 };
  for (const line of text.split("\n")) {
    const match = Line.exec(line);
    if (!match) continue;
    const value = Number(match[3]);
    const label = (name: string) => [...(match[2] ?? "").matchAll(Label)].find((found) => found[1] === name)?.[2] ?? "";
    const add = (sums: Record<string, number>, key: string) => (sums[key] = (sums[key] ?? 0) + value);
    const fill = (buckets: Buckets) => {
      const limit = label("le") === "+Inf" ? Infinity : Number(label("le"));
      buckets.set(limit, (buckets.get(limit) ?? 0) + value);
    };
    switch (match[1]) {
      case "ollamamax_requests_total":
        sample.requests += value;
        if (Number(label("status")) >= 400) add(sample.errors, label("status"));
        break;
      case "ollamamax_tokens_total":
        add(sample.tokens, label("kind"));
        break;
      case "gen_ai_server_time_to_first_token_seconds_bucket":
        fill(sample.firstToken);
        break;
      case "ollamamax_queue_wait_seconds_bucket":
        fill(sample.queueWait);
        break;
      case "ollamamax_jobs_running":
        sample.running += value;
        break;
      case "ollamamax_jobs_waiting":
        sample.waiting += value;
        break;
    }
  }
  return sample;
}

/** What a counter grew by, in a second. One that is smaller than before has begun anew with its edge. */
export const rateOf = (before: number, after: number, seconds: number): number => (after < before ? after : after - before) / seconds;

/**
 * The value that a share of what came between two samples is at most, interpolated within its bucket as Prometheus' histogram_quantile does;
 * null where nothing came.
 */
export function quantile(share: number, before: Buckets, after: Buckets): number | null {
  const limits = [...after.keys()].sort((a, b) => a - b);
  const restarted = limits.some((limit) => after.get(limit)! < (before.get(limit) ?? 0));
  const counts = limits.map((limit) => after.get(limit)! - (restarted ? 0 : (before.get(limit) ?? 0)));
  const total = counts.at(-1) ?? 0;
  if (total <= 0) return null;
  const rank = share * total;
  const at = counts.findIndex((count) => count >= rank);
  const upper = limits[at]!;
  const lower = at > 0 ? limits[at - 1]! : 0;
  if (upper === Infinity) return lower;
  const below = at > 0 ? counts[at - 1]! : 0;
  const inside = counts[at]! - below;
  return inside > 0 ? lower + (upper - lower) * ((rank - below) / inside) : upper;
}
