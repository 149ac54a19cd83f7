import { Button, SimpleGrid, Stack, Title } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus } from "../ui/icons";
import { useCallback } from "react";
import { call } from "../api/edge";
import { count, time } from "../api/format";
import { type Status } from "../api/types";
import { useLive } from "../api/useLive";
import { listWorkers } from "../api/workers";
import { Fact } from "../ui/Fact";
import { Empty, ErrorNote, Page } from "../ui/Page";
import { Rows } from "../ui/Rows";
import { useAction } from "../ui/useAction";
import { JoinDialog } from "./JoinDialog";
import { WorkerCard } from "./WorkerCard";

/** Workers report every 10 s while they are busy: to ask more often shows little sooner, and hundreds of cards take their time. */
const LookEvery = 5000;

export default function ClusterPage() {
  const status = useLive((signal) => call<Status>("cluster/status", { signal }), LookEvery);
  const workers = useLive(listWorkers, LookEvery);
  const [isJoining, joining] = useDisclosure(false);
  const action = useAction();
  const { refresh } = workers;
  const { run } = action;
  const order = useCallback(
    (id: string, path: string, method = "POST") => void run(() => call(`cluster/workers/${encodeURIComponent(id)}${path}`, { method })).then(refresh),
    [run, refresh],
  );
  return (
    <Page
      title="Cluster"
      about="Who leads, who works, and what waits"
      isLoading={status.isLoading || workers.isLoading}
      error={status.error ?? workers.error ?? status.data?.error}
      actions={<Button leftSection={<IconPlus size={16} />} onClick={joining.open}>Join a box</Button>}
    >
      <ErrorNote error={action.error} />
      {status.data && <Facts status={status.data} />}
      <Title order={2}>Workers</Title>
      {workers.data?.length === 0 && <Empty>No worker has joined yet.</Empty>}
      <SimpleGrid cols={{ base: 1, md: 2, xl: 3 }}>
        {workers.data?.map((worker) => <WorkerCard key={worker.id} worker={worker} onOrder={order} />)}
      </SimpleGrid>
      {status.data && <Queues status={status.data} />}
      <JoinDialog isOpen={isJoining} onClose={joining.close} known={workers.data} />
    </Page>
  );
}

function Facts({ status }: { status: Status }) {
  const { edge, leader, epoch, workers } = status;
  const leads = leader?.lease_expires ? (leader.id === edge.id ? "this edge" : leader.id.slice(0, 8)) : "nobody at the moment";
  return (
    <SimpleGrid cols={{ base: 2, md: 4 }}>
      <Fact name="This edge" value={edge.id.slice(0, 8)} more={`version ${edge.version}, process ${edge.pid}`} />
      <Fact name="Leader" value={leads} more={leader ? `since ${time(leader.since)}` : ""} />
      <Fact name="Epoch" value={epoch === null ? "–" : String(epoch)} more={leader?.lease_expires ? `lease until ${new Date(leader.lease_expires).toLocaleTimeString()}` : ""} />
      <Fact name="Workers" value={count(workers.alive)} more={[workers.draining && `${workers.draining} draining`, workers.suspect && `${workers.suspect} suspect`, workers.gone && `${workers.gone} gone`].filter(Boolean).join(", ") || "all alive"} />
    </SimpleGrid>
  );
}

function Queues({ status }: { status: Status }) {
  return (
    <Stack gap="xs">
      <Title order={2}>Queues</Title>
      <Rows
        live={{ data: status.queues, isLoading: false }}
        minWidth={320}
        empty="Nothing waits."
        keyOf={(queue) => queue.queue}
        columns={[
          { title: "Model", cell: (queue) => queue.model ?? queue.queue },
          { title: "Band", cell: (queue) => queue.band },
          { title: "Messages, about", isNumber: true, cell: (queue) => count(queue.messages) },
        ]}
      />
    </Stack>
  );
}
