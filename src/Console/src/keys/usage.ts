import { type UsageItem } from "../api/types";

export type GroupBy = "tenant" | "key" | "model";

export interface UsageGroup {
  label: string;
  /** Tokens of each day. */
  values: number[];
  requests: number;
  promptTokens: number;
  outputTokens: number;
}

/** So many days of UTC, the last of them today. */
export const daysFrom = (length: number, today: string): string[] =>
  Array.from({ length }, (_, index) => new Date(Date.parse(today) - (length - 1 - index) * 86_400_000).toISOString().slice(0, 10));

/** The greatest first. */
export function groupUsage(items: UsageItem[], by: GroupBy, days: string[]): UsageGroup[] {
  const groups = new Map<string, UsageGroup>();
  const names = new Map<string, string>();
  for (const item of items) {
    let group = groups.get(item[by]);
    if (by === "key" && item.name) names.set(item.key, item.name);
    if (!group) groups.set(item[by], (group = { label: item[by], values: days.map(() => 0), requests: 0, promptTokens: 0, outputTokens: 0 }));
    const day = days.indexOf(item.day);
    if (day >= 0) group.values[day]! += item.prompt_tokens + item.output_tokens;
    group.requests += item.requests;
    group.promptTokens += item.prompt_tokens;
    group.outputTokens += item.output_tokens;
  }
  // Beside the id: people may be called alike.
  for (const [key, name] of names) groups.get(key)!.label = `${name} (${key})`;
  return [...groups.values()].sort((a, b) => b.promptTokens + b.outputTokens - a.promptTokens - a.outputTokens);
}
