import { Alert, Card, Group, SegmentedControl, Select, SimpleGrid, Text, Title } from "@mantine/core";
import { useMemo, useState } from "react";
import { call } from "../api/edge";
import { count } from "../api/format";
import { type UsageItem } from "../api/types";
import { useLive } from "../api/useLive";
import { Fact } from "../ui/Fact";
import { Page } from "../ui/Page";
import { Plot } from "../ui/Plot";
import { Rows } from "../ui/Rows";
import { daysFrom, groupUsage, type GroupBy } from "./usage";

const Ranges = [{ value: "7", label: "Last 7 days" }, { value: "30", label: "Last 30 days" }, { value: "90", label: "Last 90 days" }];
const Groups = [{ value: "tenant", label: "Tenant" }, { value: "key", label: "Key" }, { value: "model", label: "Model" }];

export default function UsagePage() {
  const [range, setRange] = useState("30");
  const [by, setBy] = useState<GroupBy>("tenant");
  const today = new Date().toISOString().slice(0, 10);
  const days = useMemo(() => daysFrom(Number(range), today), [range, today]);
  const usage = useLive((signal) => call<{ usage: UsageItem[]; damaged?: string[] }>(`usage?from=${days[0]}&to=${days.at(-1)}`, { signal }), 15_000, `${range} ${today}`);
  const items = usage.data?.usage;
  const groups = useMemo(() => groupUsage(items ?? [], by, days), [items, by, days]);
  const times = useMemo(() => days.map((day) => Date.parse(`${day}T00:00:00`) / 1000), [days]);
  const sum = (of: (item: UsageItem) => number) => count((items ?? []).reduce((total, item) => total + of(item), 0));
  return (
    <Page title="Usage" about="What was used, by day of UTC; requests without a key are not counted" error={usage.error}>
      <Group align="flex-end">
        <Select aria-label="Time" data={Ranges} allowDeselect={false} value={range} onChange={(value) => setRange(value ?? "30")} />
        <SegmentedControl aria-label="Shown by" data={Groups} value={by} onChange={(value) => setBy(value as GroupBy)} />
      </Group>
      {usage.data?.damaged && (
        <Alert color="yellow" variant="outline" role="alert" title="Some of what was used could not be read, and may be missing here">
          {usage.data.damaged.map((name) => <Text key={name} size="xs" className="mono breaks">{name}</Text>)}
        </Alert>
      )}
      {usage.data && <SimpleGrid cols={{ base: 1, xs: 3 }}>
        <Fact name="Requests" value={sum((item) => item.requests)} />
        <Fact name="Prompt tokens" value={sum((item) => item.prompt_tokens)} />
        <Fact name="Output tokens" value={sum((item) => item.output_tokens)} />
      </SimpleGrid>}
      {groups.length > 0 && (
        <Card withBorder padding="sm">
          <Title order={2} size="sm" mb={4}>Tokens a day</Title>
          <Plot label={`Tokens a day by ${by}`} times={times} lines={groups.slice(0, 8)} format={count} isStacked height={240} />
        </Card>
      )}
      <Rows
        live={{ data: usage.data && groups, isLoading: usage.isLoading }}
        minWidth={420}
        empty="Nothing was used with a key in this time."
        keyOf={(group) => group.label}
        columns={[
          { title: Groups.find((group) => group.value === by)!.label, cell: (group) => group.label },
          { title: "Requests", isNumber: true, cell: (group) => count(group.requests) },
          { title: "Prompt tokens", isNumber: true, cell: (group) => count(group.promptTokens) },
          { title: "Output tokens", isNumber: true, cell: (group) => count(group.outputTokens) },
        ]}
      />
    </Page>
  );
}
