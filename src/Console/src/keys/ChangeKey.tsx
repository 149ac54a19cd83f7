import { Alert, Button, Center, Group, Loader, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useCallback, useEffect, useState, type FormEvent } from "react";
import { call, callTagged, EdgeError, type Tagged } from "../api/edge";
import { inputTime } from "../api/format";
import { type Key, type Limits } from "../api/types";
import { ErrorNote } from "../ui/Page";
import { useAction } from "../ui/useAction";
import { KeyFields } from "./KeyFields";

/** A JSON Merge Patch: what is not in it stays as it is, null takes away. */
interface KeyChange {
  name?: string;
  models?: string[] | null;
  expires_at?: string | null;
  limits?: { [field in keyof Limits]?: number | null };
}

export function ChangeKey({ id, onClose, onChanged }: { id: string; onClose: () => void; onChanged: () => void }) {
  const [read, setRead] = useState<Tagged<Key>>();
  const [change, setChange] = useState<KeyChange>({});
  const [isStale, setStale] = useState(false);
  const { run, isBusy, error } = useAction();
  const load = useCallback(
    () => void run(async () => (setRead(await callTagged<Key>(`keys/${id}`)), setStale(false))),
    [run, id],
  );
  useEffect(load, [load]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void run(async () => {
      try {
        await call(`keys/${id}`, { method: "PATCH", body: change, ...(read?.tag ? { ifMatch: read.tag } : {}) });
        onChanged();
      } catch (failure) {
        if (!(failure instanceof EdgeError && failure.status === 412)) throw failure;
        setStale(true);
      }
    });
  };
  return (
    <Modal opened onClose={onClose} title={`Change ${read?.content.name ?? "a key"}`} size="lg" closeButtonProps={{ "aria-label": "Close" }}>
      <form onSubmit={submit}>
        <Stack>
          {read ? <Fields of={read.content} change={change} onChange={setChange} /> : isBusy && <Center><Loader aria-label="Loading" /></Center>}
          {isStale && (
            <Alert color="yellow" variant="outline" role="alert" title="Somebody else has changed this key meanwhile">
              <Stack gap="xs" align="flex-start">
                Nothing of yours was written. What you have changed here stays as you have it; the rest will be as it is now.
                <Button size="compact-sm" variant="default" onClick={load}>Show it as it is now</Button>
              </Stack>
            </Alert>
          )}
          <ErrorNote error={error} />
          <Group justify="flex-end">
            <Button type="submit" loading={isBusy} disabled={!read || isStale || Object.keys(change).length === 0}>Change</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

function Fields({ of: key, change, onChange }: { of: Key; change: KeyChange; onChange: (change: KeyChange) => void }) {
  const expiresAt = change.expires_at === undefined ? key.expires_at : change.expires_at;
  const set = (more: KeyChange) => onChange({ ...change, ...more });
  return (
    <>
      <Text size="sm" c="dimmed">{key.role} of {key.tenant}: these stay as they are; for others make another key. A change holds at every edge within 5 seconds.</Text>
      <TextInput label="Name" description="For people: whose it is, or what for" required maxLength={100} data-autofocus value={change.name ?? key.name} onChange={(event) => set({ name: event.currentTarget.value })} />
      <KeyFields
        models={(change.models === undefined ? key.models : change.models) ?? []}
        limits={limitsOf(key, change)}
        onModels={key.role === "admin" || key.role === "operator" ? null : (models) => set({ models: models.length > 0 ? models : null })}
        onLimit={(field, limit) => set({ limits: { ...change.limits, [field]: limit ?? null } })}
        expiry={<TextInput type="datetime-local" label="Expires" description="Empty: never" value={expiresAt ? inputTime(expiresAt) : ""} onChange={(event) => set({ expires_at: event.currentTarget.value ? new Date(event.currentTarget.value).toISOString() : null })} />}
      />
    </>
  );
}

const limitsOf = (key: Key, change: KeyChange): Limits =>
  Object.fromEntries(Object.entries({ ...key.limits, ...change.limits }).filter(([, limit]) => limit !== null)) as Limits;
