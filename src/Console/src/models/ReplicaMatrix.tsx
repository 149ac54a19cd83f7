import { Button, Table, Text, Tooltip, VisuallyHidden } from "@mantine/core";
import { bytes } from "../api/format";
import { type ReplicatedModel, type Worker } from "../api/types";
import { State } from "../ui/State";

interface MatrixProps {
  models: ReplicatedModel[];
  workers: Worker[];
  onEdit: (model: ReplicatedModel) => void;
}

/** Models down, workers across: who holds what, and what the policies want. */
export function ReplicaMatrix({ models, workers, onEdit }: MatrixProps) {
  const shown = workers.filter((worker) => worker.state !== "gone");
  return (
    <Table.ScrollContainer minWidth={320 + 130 * shown.length}>
      <Table withColumnBorders verticalSpacing="xs">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Model</Table.Th>
            <Table.Th>Policy</Table.Th>
            {shown.map((worker) => <Table.Th key={worker.id}>{worker.name}</Table.Th>)}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {models.map((model) => (
            <Table.Tr key={model.name}>
              <Table.Th scope="row">
                {model.name}
                {model.blocked_because && <Text size="xs" c="var(--mantine-color-error)" fw={400}>{model.blocked_because}</Text>}
              </Table.Th>
              <Table.Td>
                <Button size="compact-xs" variant="default" onClick={() => onEdit(model)}>
                  <VisuallyHidden>{`Policy of ${model.name}: `}</VisuallyHidden>
                  {model.policy ? `${model.policy.min_replicas} to ${model.policy.max_replicas ?? "any"}` : "none"}
                </Button>
                <Text size="xs" c="dimmed">{model.actual} there{model.warm !== null ? `, ${model.warm} warm` : ""}{model.in_progress > 0 ? `, ${model.in_progress} on the way` : ""}</Text>
              </Table.Td>
              {shown.map((worker) => {
                const replica = model.replicas.find((one) => one.worker_id === worker.id);
                return (
                  <Table.Td key={worker.id}>
                    {replica ? (
                      <Tooltip label={replica.error ?? bytes(replica.bytes)}>
                        <span><State of={replica.state} /></span>
                      </Tooltip>
                    ) : <Text c="dimmed" component="span">–</Text>}
                  </Table.Td>
                );
              })}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
