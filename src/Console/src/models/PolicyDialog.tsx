import { Button, Group, Modal, NumberInput, Stack, Switch, TextInput } from "@mantine/core";
import { useState, type FormEvent } from "react";
import { call } from "../api/edge";
import { type Policy, type ReplicatedModel } from "../api/types";
import { ErrorNote } from "../ui/Page";
import { useAction } from "../ui/useAction";

const None: Policy = { min_replicas: 1, max_replicas: null, labels: {}, pin: false, priority: 0 };

export function PolicyDialog({ model, onClose }: { model: ReplicatedModel; onClose: () => void }) {
  const [policy, setPolicy] = useState(model.policy ?? None);
  const [labels, setLabels] = useState(Object.entries(policy.labels).map(([name, value]) => `${name}=${value}`).join(", "));
  const action = useAction();
  const path = `cluster/models/${model.name}/policy`;
  const set = (change: Partial<Policy>) => setPolicy({ ...policy, ...change });
  const finish = (work: () => Promise<unknown>) => void action.run(work).then((isDone) => isDone && onClose());
  const submit = (event: FormEvent) => {
    event.preventDefault();
    finish(() => call(path, { method: "PUT", body: { ...policy, labels: parseLabels(labels) } }));
  };
  return (
    <Modal opened onClose={onClose} title={`Policy of ${model.name}`} closeButtonProps={{ "aria-label": "Close" }}>
      <form onSubmit={submit}>
        <Stack>
          <Group grow align="flex-start">
            <NumberInput label="At least" description="copies" min={0} max={1000} allowDecimal={false} required value={policy.min_replicas} onChange={(value) => set({ min_replicas: Number(value) })} />
            <NumberInput label="At most" description="empty: any number" min={0} max={1000} allowDecimal={false} value={policy.max_replicas ?? ""} onChange={(value) => set({ max_replicas: value === "" ? null : Number(value) })} />
          </Group>
          <TextInput label="Labels" description="That a worker must have, such as site=berlin, gpu=a100" value={labels} onChange={(event) => setLabels(event.currentTarget.value)} />
          <NumberInput label="Priority" description="The greater one is copied first, and may take the room of a smaller one" min={0} max={1000} allowDecimal={false} value={policy.priority} onChange={(value) => set({ priority: Number(value) })} />
          <Switch label="Pin: copies stay whatever room others need" checked={policy.pin} onChange={(event) => set({ pin: event.currentTarget.checked })} />
          <ErrorNote error={action.error} />
          <Group justify="flex-end">
            {model.policy && <Button variant="outline" color="red" onClick={() => finish(() => call(path, { method: "DELETE" }))}>Remove the policy</Button>}
            <Button type="submit" loading={action.isBusy}>Set</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

function parseLabels(text: string): Record<string, string> {
  const pairs = text.split(",").map((pair) => pair.trim()).filter(Boolean).map((pair) => pair.split("=").map((part) => part.trim()));
  for (const pair of pairs) if (pair.length !== 2 || !pair[0]) throw new Error(`A label is written name=value, not '${pair.join("=")}'`);
  return Object.fromEntries(pairs as [string, string][]);
}
