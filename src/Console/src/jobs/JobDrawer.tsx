import { Button, Drawer, Group, Stack, Text, Timeline, Title } from "@mantine/core";
import { call } from "../api/edge";
import { time } from "../api/format";
import { hasEnded, type Job } from "../api/types";
import { useLive } from "../api/useLive";
import { ErrorNote } from "../ui/Page";
import { State } from "../ui/State";
import { useAction } from "../ui/useAction";

/** A job, the history of its attempts, and what can be done about it. */
export function JobDrawer({ id, onClose }: { id: string; onClose: () => void }) {
  const live = useLive((signal) => call<Job>(`jobs/${id}`, { signal }), (last) => (last && hasEnded(last) ? undefined : 2000), id);
  const action = useAction();
  const job = live.data;
  const isOver = job !== undefined && hasEnded(job);
  const act = (work: () => Promise<unknown>, closes = false) => void action.run(work).then((isDone) => (isDone && closes ? onClose() : live.refresh()));
  return (
    <Drawer opened onClose={onClose} title={`Job ${id}`} position="right" size="lg" closeButtonProps={{ "aria-label": "Close" }}>
      <ErrorNote error={live.error ?? action.error} />
      {job && (
        <Stack>
          <Group gap="xs">
            <State of={job.status} />
            {job.poison && <State of="poison" />}
            <Text size="sm">{job.model}</Text>
          </Group>
          {job.error && <Text size="sm" c="var(--mantine-color-error)">{job.error}</Text>}
          <Group gap="xs">
            {!isOver && <Button size="xs" color="red" variant="outline" onClick={() => act(() => call(`jobs/${id}`, { method: "DELETE" }))}>Cancel</Button>}
            {job.status === "failed" && <Button size="xs" onClick={() => act(() => call(`jobs/${id}/requeue`, { method: "POST" }))}>Queue again</Button>}
            {isOver && <Button size="xs" variant="default" onClick={() => act(() => call(`jobs/${id}`, { method: "DELETE" }), true)}>Delete</Button>}
          </Group>
          <Title order={3}>What happened</Title>
          <History job={job} />
          {job.branches && <Branches job={job} />}
          {job.result !== undefined && (
            <>
              <Title order={3}>Result</Title>
              <pre className="result" tabIndex={0}>{JSON.stringify(job.result, null, 2)}</pre>
            </>
          )}
        </Stack>
      )}
    </Drawer>
  );
}

function History({ job }: { job: Job }) {
  const isOn = job.status === "running" || job.status === "completed";
  const last = job.failed_attempts.at(-1)?.attempt ?? 0;
  return (
    <Timeline bulletSize={14} lineWidth={2} active={10}>
      <Timeline.Item title="Submitted"><Text size="xs" c="dimmed">{time(job.created_at)}</Text></Timeline.Item>
      {job.failed_attempts.map((attempt) => (
        <Timeline.Item key={attempt.attempt} color="red" title={`Attempt ${attempt.attempt} ${attempt.outcome.replaceAll("_", " ")}`}>
          <Text size="xs">{attempt.reason}</Text>
          <Text size="xs" c="dimmed">{time(attempt.at)} · worker {attempt.worker_id.slice(0, 8)} · {attempt.tokens} tokens by then</Text>
        </Timeline.Item>
      ))}
      {isOn && job.attempts > last && (
        <Timeline.Item title={`Attempt ${job.attempts} ${job.status === "running" ? "runs" : "came to the end"}`}>
          <Text size="xs" c="dimmed">{job.worker_id ? `worker ${job.worker_id.slice(0, 8)}` : ""}</Text>
        </Timeline.Item>
      )}
      {job.ended_at && <Timeline.Item color={job.status === "completed" ? "teal" : "gray"} title={`Ended: ${job.status}`}><Text size="xs" c="dimmed">{time(job.ended_at)}</Text></Timeline.Item>}
    </Timeline>
  );
}

const Branches = ({ job }: { job: Job }) => (
  <>
    <Title order={3}>Branches</Title>
    <ul className="plain">
      {job.branches!.map((branch) => (
        <li key={branch.index}>
          <Group gap="xs" mb={4}>
            <State of={branch.status} />
            <Text size="sm">{branch.role} {branch.index + 1}: {branch.model}</Text>
            {branch.job_id && <Text size="xs" c="dimmed" className="mono">{branch.job_id}</Text>}
            {branch.error && <Text size="xs" c="var(--mantine-color-error)">{branch.error}</Text>}
          </Group>
        </li>
      ))}
    </ul>
  </>
);
