import { Button, Group, Modal, NumberInput, Select, SimpleGrid, Stack, TextInput } from "@mantine/core";
import { useState, type FormEvent } from "react";
import { call } from "../api/edge";
import { type Key, type Limits } from "../api/types";
import { ErrorNote } from "../ui/Page";
import { useAction } from "../ui/useAction";
import { KeyFields } from "./KeyFields";

const Roles = [
  { value: "user", label: "user: asks models" },
  { value: "readonly", label: "readonly: looks, changes nothing" },
  { value: "operator", label: "operator: models and cluster" },
  { value: "admin", label: "admin: everything" },
  { value: "worker", label: "worker: lets a box in" },
];

export function NewKey({ onClose, onMade }: { onClose: () => void; onMade: (key: Key) => void }) {
  const [name, setName] = useState("");
  const [role, setRole] = useState("user");
  const [tenant, setTenant] = useState("");
  const [models, setModels] = useState<string[]>([]);
  const [days, setDays] = useState<number>();
  const [limits, setLimits] = useState<Limits>({});
  const action = useAction();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const body = {
      name,
      role,
      ...(tenant ? { tenant } : {}),
      ...(models.length > 0 ? { models } : {}),
      ...(days === undefined ? {} : { expires_at: new Date(Date.now() + days * 86_400_000).toISOString() }),
      limits,
    };
    void action.run(async () => onMade(await call<Key>("keys", { body })));
  };
  return (
    <Modal opened onClose={onClose} title="New key" size="lg" closeButtonProps={{ "aria-label": "Close" }}>
      <form onSubmit={submit}>
        <Stack>
          <TextInput label="Name" description="For people: whose it is, or what for" required maxLength={100} data-autofocus value={name} onChange={(event) => setName(event.currentTarget.value)} />
          <SimpleGrid cols={{ base: 1, xs: 2 }}>
            <Select label="Role" data={Roles} allowDeselect={false} value={role} onChange={(value) => setRole(value ?? "user")} />
            <TextInput label="Tenant" placeholder="yours" maxLength={64} value={tenant} onChange={(event) => setTenant(event.currentTarget.value)} />
          </SimpleGrid>
          <KeyFields
            models={models}
            limits={limits}
            onModels={setModels}
            onLimit={(field, limit) => setLimits(({ [field]: _, ...others }) => (limit === undefined ? others : { ...others, [field]: limit }))}
            expiry={<NumberInput label="Expires after days" placeholder="never" min={1} value={days ?? ""} onChange={(value) => setDays(typeof value === "number" ? value : undefined)} />}
          />
          <ErrorNote error={action.error} />
          <Group justify="flex-end">
            <Button type="submit" loading={action.isBusy}>Make the key</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
