import { Stack, Text, Title } from "@mantine/core";
import { useState } from "react";
import { call } from "../api/edge";
import { bytes, short, time } from "../api/format";
import { type CatalogueModel, type ReplicatedModel } from "../api/types";
import { useLive } from "../api/useLive";
import { listWorkers } from "../api/workers";
import { ErrorNote, Page } from "../ui/Page";
import { Rows } from "../ui/Rows";
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
      <Rows
        live={catalogue}
        minWidth={640}
        empty="No model is there yet: pull one."
        keyOf={(model) => model.name}
        columns={[
          { title: "Name", cell: (model) => <Text size="sm" fw={600}>{model.name}</Text> },
          { title: "Size", isNumber: true, cell: (model) => bytes(model.size) },
          { title: "Parameters", cell: (model) => model.details.parameter_size },
          { title: "Quantization", cell: (model) => model.details.quantization_level },
          { title: "Digest", className: "mono", cell: (model) => <span title={model.digest}>{short(model.digest)}</span> },
          { title: "Changed", className: "nowrap", cell: (model) => time(model.modified_at) },
          { title: "Actions", isTitleHidden: true, cell: (model) => <ModelMenu model={model} onCopy={() => copy(model)} onRemove={() => remove(model)} /> },
        ]}
      />
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
