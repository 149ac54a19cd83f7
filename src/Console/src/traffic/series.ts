import { type PlotLine } from "../ui/Plot";
import { quantile, rateOf, type Buckets, type Sample } from "./metrics";

export interface Figures {
  times: number[];
  requests: PlotLine[];
  tokens: PlotLine[];
  firstToken: PlotLine[];
  queueWait: PlotLine[];
  errors: PlotLine[];
  load: PlotLine[];
}

/** Quantiles are of what came in so many seconds: of a single interval there are too few. */
const Window = 60;

const Shares: [string, number][] = [["p50", 0.5], ["p95", 0.95], ["p99", 0.99]];

export function figuresOf(samples: readonly Sample[]): Figures {
  const pairs = samples.slice(1).map((after, index) => ({ before: samples[index]!, after, seconds: after.at - samples[index]!.at }));
  const windows = samples.slice(1).map((after) => ({ after, before: samples.find((sample) => sample.at >= after.at - Window)! }));
  const rates = (label: string, of: (sample: Sample) => number): PlotLine => ({ label, values: pairs.map(({ before, after, seconds }) => rateOf(of(before), of(after), seconds)) });
  const quantiles = (of: (sample: Sample) => Buckets): PlotLine[] =>
    Shares.map(([label, share]) => ({ label, values: windows.map(({ before, after }) => quantile(share, of(before), of(after))) }));
  const kinds = [...new Set(samples.flatMap((sample) => Object.keys(sample.errors)))].sort();
  return {
    times: pairs.map(({ after }) => after.at),
    requests: [rates("requests/s", (sample) => sample.requests)],
    tokens: [rates("output tokens/s", (sample) => sample.tokens["output"] ?? 0), rates("prompt tokens/s", (sample) => sample.tokens["prompt"] ?? 0)],
    firstToken: quantiles((sample) => sample.firstToken),
    queueWait: quantiles((sample) => sample.queueWait),
    errors: kinds.map((kind) => rates(kind, (sample) => sample.errors[kind] ?? 0)),
    load: [{ label: "running", values: pairs.map(({ after }) => after.running) }, { label: "waiting", values: pairs.map(({ after }) => after.waiting) }],
  };
}
