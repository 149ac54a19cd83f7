import { Button, Modal, PasswordInput, Stack, Text } from "@mantine/core";
import { useState, type FormEvent } from "react";
import { auth, call } from "../api/edge";
import { ErrorNote } from "./Page";
import { useAction } from "./useAction";

/** Asks for a key, tries it, and keeps it for as long as the tab is open. */
export function KeyDialog({ isOpen }: { isOpen: boolean }) {
  const [typed, setTyped] = useState("");
  const action = useAction();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void action.run(async () => {
      auth.use(typed.trim());
      await call("api/version");
      setTyped("");
    });
  };
  return (
    <Modal opened={isOpen || action.isBusy} onClose={() => undefined} withCloseButton={false} closeOnClickOutside={false} closeOnEscape={false} title="A key, please" centered>
      <form onSubmit={submit}>
        <Stack>
          <Text size="sm">This edge answers to those who have a key. It is kept until this tab is closed, and sent to this edge alone.</Text>
          <PasswordInput label="Key" placeholder="omx_…" autoComplete="off" data-autofocus required value={typed} onChange={(event) => setTyped(event.currentTarget.value)} />
          <ErrorNote error={action.error} />
          <Button type="submit" loading={action.isBusy}>
            Use this key
          </Button>
        </Stack>
      </form>
    </Modal>
  );
}
