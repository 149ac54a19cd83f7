import { Button, Card, Group, Progress, Stack, Text, Title } from "@mantine/core";
import { call } from "../api/edge";
import { bytes } from "../api/format";
import { type Transfer, type Worker } from "../api/types";
import { useLive } from "../api/useLive";
import { ErrorNote } from "../ui/Page";
import { State } from "../ui/State";
import { useAction } from "../ui/useAction";

/** What is on its way, from anywhere; nothing where nothing is. */
export function Transfers({ workers }: { workers: Worker[] | undefined }) {
  const transfers = useLive(async (signal) => (await call<{ transfers: Transfer[] }>("cluster/transfers", { signal })).transfers, 2000);
  const action = useAction();
  if (!transfers.data?.length) return <ErrorNote error={transfers.error} />;
  const cancel = (id: string) => void action.run(() => call(`cluster/transfers/${encodeURIComponent(id)}`, { method: "DELETE" })).then(transfers.refresh);
  const resume = (id: string) => void action.run(() => call(`cluster/transfers/${encodeURIComponent(id)}/resume`, { method: "POST" })).then(transfers.refresh);
  return (
    <Stack gap="xs">
      <Title order={2}>On their way</Title>
      <ErrorNote error={transfers.error} />
      {transfers.data.map((transfer) => {
        const where = transfer.kind === "pull" ? "into the catalogue" : `to ${workers?.find((worker) => worker.id === transfer.worker_id)?.name ?? transfer.worker_id?.slice(0, 8)}`;
        return (
          <Card key={transfer.id} withBorder padding="sm">
            <Group justify="space-between">
              <Text size="sm"><b>{transfer.model}</b> {where}</Text>
              <Group gap="xs">
                <Text size="xs" c="dimmed">{bytes(transfer.completed)} of {bytes(transfer.total)} · {bytes(transfer.bytes_per_second)}/s</Text>
                <State of={transfer.state} />
                {transfer.state === "running" && <Button size="compact-xs" variant="default" onClick={() => cancel(transfer.id)}>Cancel</Button>}
                {(transfer.state === "cancelled" || transfer.state === "failed") && transfer.kind !== "pull" && <Button size="compact-xs" variant="default" onClick={() => resume(transfer.id)}>Resume</Button>}
              </Group>
            </Group>
            <Progress mt={6} value={transfer.total ? (100 * transfer.completed) / transfer.total : 0} aria-label={`${transfer.model} ${where}`} />
            {transfer.error && <Text size="xs" c="var(--mantine-color-error)">{transfer.error}</Text>}
          </Card>
        );
      })}
      <ErrorNote error={action.error} />
    </Stack>
  );
}
