import { Button, Modal, Stack, Text } from "@mantine/core";
import { type Key } from "../api/types";
import { Copy } from "../ui/Copy";

/** A key's secret: the edge keeps none that it could show again. */
export function ShownOnce({ made, onClose }: { made: Key; onClose: () => void }) {
  return (
    <Modal opened onClose={onClose} title={`The key ${made.name}`} size="lg" closeOnClickOutside={false} closeButtonProps={{ "aria-label": "Close" }}>
      <Stack>
        <Text size="sm">It is shown this once. Whoever has it is let in as {made.role} of {made.tenant}.</Text>
        <Copy block what="the key" text={made.key ?? ""} />
        <Button onClick={onClose}>I have it</Button>
      </Stack>
    </Modal>
  );
}
