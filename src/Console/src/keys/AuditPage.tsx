import { Badge, Group, Select, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";
import { call } from "../api/edge";
import { time } from "../api/format";
import { type AuditItem } from "../api/types";
import { useLive } from "../api/useLive";
import { Page } from "../ui/Page";
import { Rows } from "../ui/Rows";

const Days = [{ value: "1", label: "Last day" }, { value: "7", label: "Last 7 days" }, { value: "30", label: "Last 30 days" }];

export default function AuditPage() {
  const [days, setDays] = useState("1");
  const [actor, setActor] = useState("");
  // Each look reads the whole log of that time.
  const [asked] = useDebouncedValue(actor.trim(), 400);
  const key = `${days} ${asked}`;
  const audit = useLive(
    async (signal) => {
      const query = new URLSearchParams({ from: new Date(Date.now() - Number(days) * 86_400_000).toISOString(), limit: "2000", newest: "true", ...(asked ? { actor: asked } : {}) });
      return (await call<{ records: AuditItem[] }>(`audit?${query}`, { signal })).records;
    },
    15_000,
    key,
  );
  return (
    <Page title="Audit" about="Who changed what, and who was turned away" error={audit.error}>
      <Group align="flex-end">
        <Select label="Since" data={Days} allowDeselect={false} value={days} onChange={(value) => setDays(value ?? "1")} />
        <TextInput label="Actor" placeholder="everybody" value={actor} onChange={(event) => setActor(event.currentTarget.value)} />
      </Group>
      <Rows
        live={audit}
        minWidth={720}
        empty="Nothing in this time."
        keyOf={(item, index) => `${item.request_id} ${index}`}
        columns={[
          { title: "When", className: "nowrap", cell: (item) => time(item.at) },
          { title: "Who", cell: (item) => <span title={item.credential}>{item.actor || "nobody known"}{item.actor_name && <Text size="xs" c="dimmed">{item.actor_name}</Text>}</span> },
          { title: "What", className: "mono", cell: (item) => item.action },
          { title: "To what", className: "breaks", cell: (item) => item.subject },
          { title: "From", cell: (item) => item.from },
          { title: "Outcome", cell: (item) => <Badge variant="dot" color={item.status >= 400 ? "red" : "teal"}>{item.status}</Badge> },
        ]}
      />
    </Page>
  );
}
