import { Group, MultiSelect, NumberInput } from "@mantine/core";
import { type ReactNode } from "react";
import { type Limits } from "../api/types";
import { useCatalogue } from "../models/useCatalogue";

interface KeyFieldsProps {
  /** None: all. */
  models: string[];
  limits: Limits;
  /** Null: it manages models, so names of some do not hold it. */
  onModels: ((models: string[]) => void) | null;
  /** Undefined: no limit. */
  onLimit: (field: keyof Limits, limit: number | undefined) => void;
  /** When it expires. */
  expiry: ReactNode;
}

/** What a key may use, and how much. */
export function KeyFields({ models, limits, onModels, onLimit, expiry }: KeyFieldsProps) {
  const catalogue = useCatalogue();
  // A beginning, such as qwen3*, is a choice as well, where the key has it.
  const choices = [...new Set([...(catalogue.data?.map((model) => model.name) ?? []), ...models])];
  const limit = (field: keyof Limits, label: string) => (
    <NumberInput label={label} placeholder="no limit" min={0} allowDecimal={false} value={limits[field] ?? ""} onChange={(value) => onLimit(field, typeof value === "number" ? value : undefined)} />
  );
  return (
    <>
      {onModels && <MultiSelect label="Models" placeholder={models.length === 0 ? "all" : ""} data={choices} value={models} onChange={onModels} clearable />}
      <Group grow align="flex-start">
        {expiry}
        {limit("concurrent", "Requests at a time")}
      </Group>
      <Group grow align="flex-start">
        {limit("requests_per_minute", "Requests a minute")}
        {limit("tokens_per_minute", "Tokens a minute")}
      </Group>
      <Group grow align="flex-start">
        {limit("tokens_per_day", "Tokens a day")}
        {limit("tokens_per_month", "Tokens a month")}
      </Group>
    </>
  );
}
