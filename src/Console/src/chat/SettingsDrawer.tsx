import { Button, Drawer, NumberInput, Stack, Textarea } from "@mantine/core";
import { useState } from "react";
import * as store from "./store";
import { type Chat, type ChatSettings } from "./types";

/** What holds for the questions of one chat from now on. */
export function SettingsDrawer({ chat, isOpen, onClose }: { chat: Chat; isOpen: boolean; onClose: () => void }) {
  const [schema, setSchema] = useState(chat.settings.schema ?? "");
  const [error, setError] = useState<string>();
  const set = (change: ChatSettings) => store.change(chat.id, ({ settings }) => ({ settings: { ...settings, ...change } }));
  const schemaChanged = (text: string) => {
    setSchema(text);
    try {
      if (text.trim()) JSON.parse(text);
      setError(undefined);
      set({ schema: text.trim() });
    } catch {
      setError("This is not JSON yet; it is used once it is.");
    }
  };
  return (
    <Drawer opened={isOpen} onClose={onClose} title="Settings of this chat" position="right" closeButtonProps={{ "aria-label": "Close" }}>
      <Stack>
        <Textarea label="System prompt" description="Said to the model before everything else" autosize minRows={3} maxRows={10} value={chat.settings.system ?? ""} onChange={(event) => set({ system: event.currentTarget.value })} />
        <NumberInput label="Temperature" description="0 always takes the likeliest word; empty: the model's own" min={0} max={2} step={0.1} decimalScale={2} value={chat.settings.temperature ?? ""} onChange={(value) => set({ temperature: number(value) })} />
        <NumberInput label="At most so many tokens" description="Of an answer; empty: until the model ends it" min={1} allowDecimal={false} value={chat.settings.maxTokens ?? ""} onChange={(value) => set({ maxTokens: number(value) })} />
        <Textarea label="JSON Schema" description="Answers are JSON that follows it, token by token" autosize minRows={4} maxRows={14} classNames={{ input: "mono" }} spellCheck={false} value={schema} error={error} onChange={(event) => schemaChanged(event.currentTarget.value)} />
        <Button variant="default" onClick={onClose}>Done</Button>
      </Stack>
    </Drawer>
  );
}

const number = (value: number | string): number | undefined => (typeof value === "number" ? value : undefined);
