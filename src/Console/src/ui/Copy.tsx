import { ActionIcon, Code, CopyButton, Group, Tooltip } from "@mantine/core";
import { IconCheck, IconCopy } from "./icons";

/** A text that people take elsewhere. */
export function Copy({ text, what, block = false }: { text: string; what: string; block?: boolean }) {
  return (
    <Group gap={4} wrap="nowrap" align="flex-start">
      <Code block={block} className={block ? "grow breaks" : "breaks"}>{text}</Code>
      <CopyButton value={text}>
        {({ copied, copy }) => (
          <Tooltip label={copied ? "Copied" : `Copy ${what}`}>
            <ActionIcon variant="subtle" aria-label={`Copy ${what}`} onClick={copy}>
              {copied ? <IconCheck size={16} /> : <IconCopy size={16} />}
            </ActionIcon>
          </Tooltip>
        )}
      </CopyButton>
    </Group>
  );
}
