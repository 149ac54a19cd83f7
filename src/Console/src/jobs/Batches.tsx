import { Button, FileButton, Group, Progress, Stack, Text } from "@mantine/core";
import { IconUpload } from "../ui/icons";
import { call, send } from "../api/edge";
import { time } from "../api/format";
import { type Batch } from "../api/types";
import { useLive } from "../api/useLive";
import { ErrorNote } from "../ui/Page";
import { Rows } from "../ui/Rows";
import { State } from "../ui/State";
import { useAction } from "../ui/useAction";

const isMoving = (batch: Batch): boolean => ["validating", "in_progress", "finalizing", "cancelling"].includes(batch.status);

export function Batches() {
  const batches = useLive(async (signal) => (await call<{ data: Batch[] }>("v1/batches?limit=100", { signal })).data, (last) => (last?.some(isMoving) === false ? 30_000 : 2000));
  const action = useAction();
  const upload = (file: File | null) => {
    if (file) void action.run(() => submit(file)).then(batches.refresh);
  };
  const download = (id: string, name: string) => void action.run(async () => saveAs(await (await send(`v1/files/${id}/content`)).blob(), name));
  const cancel = (id: string) => void action.run(() => call(`v1/batches/${id}/cancel`, { method: "POST" })).then(batches.refresh);
  return (
    <Stack>
      <Group justify="space-between">
        <Text size="sm" c="dimmed">Lines of JSON: custom_id, method, url, body. They run when no interactive request wants the slots.</Text>
        <FileButton onChange={upload} accept=".jsonl,.ndjson,application/jsonl" inputProps={{ "aria-label": "A file of JSON lines" }}>
          {(props) => <Button {...props} loading={action.isBusy} leftSection={<IconUpload size={16} />}>Upload a file</Button>}
        </FileButton>
      </Group>
      <ErrorNote error={action.error ?? batches.error} />
      <Rows
        live={batches}
        minWidth={680}
        empty="No batches yet."
        keyOf={(batch) => batch.id}
        columns={[
          { title: "Batch", className: "mono", cell: (batch) => batch.id },
          {
            title: "Status",
            cell: (batch) => (
              <>
                <State of={batch.status} />
                {batch.errors?.data.map((error) => <Text key={error.message} size="xs" c="var(--mantine-color-error)">{error.message}</Text>)}
              </>
            ),
          },
          { title: "Lines", cell: (batch) => <Lines batch={batch} /> },
          { title: "Submitted", className: "nowrap", cell: (batch) => time(batch.created_at) },
          {
            title: "Actions",
            isTitleHidden: true,
            cell: (batch) => (
              <Group gap={4} wrap="nowrap">
                {batch.output_file_id && <Button size="compact-xs" variant="default" onClick={() => download(batch.output_file_id!, `${batch.id}.results.jsonl`)}>Results</Button>}
                {batch.error_file_id && <Button size="compact-xs" variant="default" onClick={() => download(batch.error_file_id!, `${batch.id}.errors.jsonl`)}>Errors</Button>}
                {isMoving(batch) && batch.status !== "cancelling" && <Button size="compact-xs" variant="outline" color="red" onClick={() => cancel(batch.id)}>Cancel</Button>}
              </Group>
            ),
          },
        ]}
      />
    </Stack>
  );
}

function Lines({ batch }: { batch: Batch }) {
  const { total, completed, failed } = batch.request_counts;
  const text = `${completed} of ${total}${failed ? `, ${failed} failed` : ""}`;
  return (
    <>
      <Text size="xs">{text}</Text>
      <Progress.Root size="sm">
        <Progress.Section value={total ? (100 * completed) / total : 0} aria-label={`Lines: ${text}`} />
        <Progress.Section value={total ? (100 * failed) / total : 0} color="red" aria-label={`Lines that failed: ${failed}`} />
      </Progress.Root>
    </>
  );
}

/** A batch is for one endpoint; its first line says which. */
async function submit(file: File): Promise<void> {
  const first = (await file.slice(0, 1 << 20).text()).split("\n").find((line) => line.trim());
  let endpoint: unknown;
  try {
    endpoint = (JSON.parse(first ?? "") as { url?: unknown }).url;
  } catch {
    // Said below.
  }
  if (typeof endpoint !== "string") throw new Error(`The first line of ${file.name} is no JSON with a url`);
  const form = new FormData();
  form.append("purpose", "batch");
  form.append("file", file);
  const uploaded = await call<{ id: string }>("v1/files", { form });
  await call("v1/batches", { body: { input_file_id: uploaded.id, endpoint, completion_window: "24h" } });
}

function saveAs(content: Blob, name: string): void {
  const url = URL.createObjectURL(content);
  Object.assign(document.createElement("a"), { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
