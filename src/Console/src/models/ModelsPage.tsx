import { Stack, Table, Text, Title } from "@mantine/core";
import { useState } from "react";
import { call } from "../api/edge";
import { bytes, short, time } from "../api/format";
import { type CatalogueModel, type ReplicatedModel } from "../api/types";
import { useLive } from "../api/useLive";
import { listWorkers } from "../api/workers";
import { Empty, ErrorNote, Page } from "../ui/Page";
import { useAction } from "../ui/useAction";
import { ModelMenu } from "./ModelMenu";
import { PolicyDialog } from "./PolicyDialog";
import { PullForm } from "./PullForm";
import { ReplicaMatrix } from "./ReplicaMatrix";
import { Transfers } from "./Transfers";
import { useCatalogue } from "./useCatalogue";

export default function ModelsPage() {
  const catalogue = useCatalogue(5000);
  const replicated = useLive(async (signal) => (await call<{ models: ReplicatedModel[] }>("cluster/models", { signal })).models, 3000);
  const workers = useLive(listWorkers, 5000);
  const [edited, setEdited] = useState<ReplicatedModel>();
  const action = useAction();
  const remove = (model: CatalogueModel) => {
    if (confirm(`Shall ${model.name} leave the catalogue? Its content goes with its last name.`))
      void action.run(() => call("api/delete", { method: "DELETE", body: { model: model.name } })).then(catalogue.refresh);
  };
  const copy = (model: CatalogueModel) => {
    const destination = prompt(`Another name for ${model.name}`);
    if (destination) void action.run(() => call("api/copy", { body: { source: model.name, destination } })).then(catalogue.refresh);
  };
  return (
    <Page title="Models" about="What there is to ask, and where its copies are" error={catalogue.error} isLoading={catalogue.isLoading || replicated.isLoading || workers.isLoading}>
      <PullForm onPulled={() => (catalogue.refresh(), replicated.refresh())} />
      <Transfers workers={workers.data} />
      <ErrorNote error={action.error} />
      <Title order={2}>Catalogue</Title>
      {catalogue.data?.length === 0 && <Empty>No model is there yet: pull one.</Empty>}
      {catalogue.data && catalogue.data.length > 0 && (
        <Table.ScrollContainer minWidth={640}>
          <Table verticalSpacing="xs">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Name</Table.Th>
                <Table.Th className="number">Size</Table.Th>
                <Table.Th>Parameters</Table.Th>
                <Table.Th>Quantization</Table.Th>
                <Table.Th>Digest</Table.Th>
                <Table.Th>Changed</Table.Th>
                <Table.Th aria-label="Actions" />
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {catalogue.data.map((model) => (
                <Table.Tr key={model.name}>
                  <Table.Td fw={600}>{model.name}</Table.Td>
                  <Table.Td className="number">{bytes(model.size)}</Table.Td>
                  <Table.Td>{model.details.parameter_size}</Table.Td>
                  <Table.Td>{model.details.quantization_level}</Table.Td>
                  <Table.Td className="mono" title={model.digest}>{short(model.digest)}</Table.Td>
                  <Table.Td className="nowrap">{time(model.modified_at)}</Table.Td>
                  <Table.Td><ModelMenu model={model} onCopy={() => copy(model)} onRemove={() => remove(model)} /></Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
      <Title order={2}>Copies</Title>
      {replicated.error && <Text size="sm" c="dimmed">Not shown: {replicated.error}</Text>}
      {replicated.data && workers.data && (
        <Stack gap="xs">
          <ReplicaMatrix models={replicated.data} workers={workers.data} onEdit={setEdited} />
          <Text size="xs" c="dimmed">A policy says how many copies there are at least and at most; the leader sees to it.</Text>
        </Stack>
      )}
      {edited && <PolicyDialog model={edited} onClose={() => (setEdited(undefined), replicated.refresh())} />}
    </Page>
  );
}
