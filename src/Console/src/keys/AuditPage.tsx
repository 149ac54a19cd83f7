import { Badge, Center, Group, Loader, Select, Table, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";
import { call } from "../api/edge";
import { time } from "../api/format";
import { type AuditItem } from "../api/types";
import { useLive } from "../api/useLive";
import { Empty, Page } from "../ui/Page";

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
      {audit.isLoading && <Center h="30vh"><Loader aria-label="Loading" aria-busy /></Center>}
      {audit.data?.length === 0 && <Empty>Nothing in this time.</Empty>}
      {audit.data && audit.data.length > 0 && (
        <Table.ScrollContainer minWidth={720}>
          <Table verticalSpacing={6}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>When</Table.Th>
                <Table.Th>Who</Table.Th>
                <Table.Th>What</Table.Th>
                <Table.Th>To what</Table.Th>
                <Table.Th>From</Table.Th>
                <Table.Th>Outcome</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {audit.data.map((item, index) => (
                <Table.Tr key={`${item.request_id} ${index}`}>
                  <Table.Td className="nowrap">{time(item.at)}</Table.Td>
                  <Table.Td title={item.credential}>{item.actor || "nobody known"}</Table.Td>
                  <Table.Td className="mono">{item.action}</Table.Td>
                  <Table.Td className="breaks">{item.subject}</Table.Td>
                  <Table.Td>{item.from}</Table.Td>
                  <Table.Td><Badge variant="dot" color={item.status >= 400 ? "red" : "teal"}>{item.status}</Badge></Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
    </Page>
  );
}
