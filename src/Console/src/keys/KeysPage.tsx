import { Button, Table, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus } from "../ui/icons";
import { useState } from "react";
import { call } from "../api/edge";
import { count, time } from "../api/format";
import { type Key, type Limits } from "../api/types";
import { useLive } from "../api/useLive";
import { Empty, ErrorNote, Page } from "../ui/Page";
import { useAction } from "../ui/useAction";
import { NewKey } from "./NewKey";
import { ShownOnce } from "./ShownOnce";

const LimitNames: Record<keyof Limits, string> = {
  requests_per_minute: "requests a minute",
  tokens_per_minute: "tokens a minute",
  tokens_per_day: "tokens a day",
  tokens_per_month: "tokens a month",
  concurrent: "at a time",
};

export default function KeysPage() {
  const keys = useLive(async (signal) => (await call<{ keys: Key[] }>("keys", { signal })).keys, 10_000);
  const [isMaking, making] = useDisclosure(false);
  const [made, setMade] = useState<Key>();
  const action = useAction();
  const show = (key: Key) => {
    setMade(key);
    keys.refresh();
  };
  const rotate = (key: Key) =>
    void action.run(async () => show(await call<Key>(`keys/${key.id}/rotate`, { body: {} })));
  const revoke = (key: Key) => {
    if (confirm(`Shall nobody get in with the key ${key.name} any more?`)) void action.run(() => call(`keys/${key.id}`, { method: "DELETE" })).then(keys.refresh);
  };
  return (
    <Page title="Keys" about="Who may call, what, and how much" error={keys.error} isLoading={keys.isLoading} actions={<Button leftSection={<IconPlus size={16} />} onClick={making.open}>New key</Button>}>
      <ErrorNote error={action.error} />
      {keys.data?.length === 0 && <Empty>No keys yet.</Empty>}
      {keys.data && keys.data.length > 0 && (
        <Table.ScrollContainer minWidth={760}>
          <Table verticalSpacing="xs">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Name</Table.Th>
                <Table.Th>Role</Table.Th>
                <Table.Th>Tenant</Table.Th>
                <Table.Th>Models</Table.Th>
                <Table.Th>Limits</Table.Th>
                <Table.Th>Expires</Table.Th>
                <Table.Th>Last used</Table.Th>
                <Table.Th aria-label="Actions" />
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {keys.data.map((key) => (
                <Table.Tr key={key.id}>
                  <Table.Td><Text size="sm" fw={600}>{key.name}</Text><Text size="xs" c="dimmed" className="mono">{key.id}</Text></Table.Td>
                  <Table.Td>{key.role}</Table.Td>
                  <Table.Td>{key.tenant}</Table.Td>
                  <Table.Td>{key.models?.join(", ") ?? "all"}</Table.Td>
                  <Table.Td><LimitsText limits={key.limits} /></Table.Td>
                  <Table.Td className="nowrap">{key.expires_at ? time(key.expires_at) : "never"}</Table.Td>
                  <Table.Td className="nowrap">{key.last_used_at ? time(key.last_used_at) : "–"}</Table.Td>
                  <Table.Td className="nowrap">
                    <Button size="compact-xs" variant="default" aria-label={`New secret for ${key.name}`} onClick={() => rotate(key)}>New secret</Button>{" "}
                    <Button size="compact-xs" variant="outline" color="red" aria-label={`Revoke ${key.name}`} onClick={() => revoke(key)}>Revoke</Button>
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
      {isMaking && <NewKey onClose={making.close} onMade={(key) => (making.close(), show(key))} />}
      {made && <ShownOnce made={made} onClose={() => setMade(undefined)} />}
    </Page>
  );
}

function LimitsText({ limits }: { limits: Limits }) {
  const set = (Object.keys(LimitNames) as (keyof Limits)[]).filter((name) => limits[name] !== undefined);
  return set.length === 0 ? <>none</> : <Text size="xs">{set.map((name) => `${count(limits[name]!)} ${LimitNames[name]}`).join(", ")}</Text>;
}
