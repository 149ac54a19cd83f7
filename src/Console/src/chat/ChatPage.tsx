import { ActionIcon, Alert, Button, Drawer, Group, Select, Tooltip } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconAdjustments, IconMessages, IconPlus } from "../ui/icons";
import { lazy, Suspense, useEffect, useState } from "react";
import { namesOfTalkers, useCatalogue } from "../models/useCatalogue";
import { ErrorNote } from "../ui/Page";
import { ChatList } from "./ChatList";
import { Composer } from "./Composer";
import { MessageList } from "./MessageList";
import * as store from "./store";

const SettingsDrawer = lazy(() => import("./SettingsDrawer"));

export function ChatPage() {
  const { chats, currentId, isLoaded, error } = store.useChats();
  const catalogue = useCatalogue();
  const [isListOpen, list] = useDisclosure(false);
  const [areSettingsOpen, settings] = useDisclosure(false);
  const [areSettingsUsed, setSettingsUsed] = useState(false);
  useEffect(() => void store.load(), []);

  const chat = chats.find((one) => one.id === currentId)!;
  const names = namesOfTalkers(catalogue.data) ?? [];
  // A model that is gone is not asked; what the chat was held with first comes first.
  const model = chat.model && (names.includes(chat.model) || !catalogue.data) ? chat.model : (names[0] ?? null);
  const last = chat.messages.at(-1);
  const isAnswering = last?.role === "assistant" && last.state === "running";
  const chatList = <ChatList chats={chats} currentId={currentId} onChosen={list.close} />;

  return (
    <div className="chat">
      <nav className="chat-list" aria-label="Chats">{chatList}</nav>
      <section className="chat-main" aria-label={chat.title}>
        <Group justify="space-between" wrap="nowrap" gap="xs" pb="xs">
          <Group gap="xs" wrap="nowrap" className="grow">
            <ActionIcon variant="default" size="lg" className="narrow-only" aria-label="Chats" onClick={list.open}>
              <IconMessages size={18} />
            </ActionIcon>
            <Select
              aria-label="Model"
              placeholder={catalogue.data ? "No model that answers is there" : "Model"}
              data={names}
              value={model}
              onChange={(chosen) => chosen && store.change(chat.id, () => ({ model: chosen }))}
              searchable={names.length > 8}
              allowDeselect={false}
              className="model-choice"
            />
          </Group>
          <Group gap="xs" wrap="nowrap">
            <Tooltip label="Settings">
              <ActionIcon variant="default" size="lg" aria-label="Settings" onClick={() => (setSettingsUsed(true), settings.open())}>
                <IconAdjustments size={18} />
              </ActionIcon>
            </Tooltip>
            <Tooltip label="New chat">
              <ActionIcon variant="filled" size="lg" aria-label="New chat" onClick={store.start}>
                <IconPlus size={18} />
              </ActionIcon>
            </Tooltip>
          </Group>
        </Group>
        <ErrorNote error={catalogue.error} />
        {error && <Alert color="orange" variant="outline">{error}</Alert>}
        <MessageList key={`${chat.id} ${isLoaded}`} chat={chat} model={model} />
        <Composer
          isAnswering={isAnswering}
          isReady={model !== null && isLoaded}
          onSend={(text) => store.send(chat.id, text, model!)}
          onStop={() => store.stop(chat.id)}
        />
      </section>
      <Drawer opened={isListOpen} onClose={list.close} title="Chats" size="xs" closeButtonProps={{ "aria-label": "Close" }}>
        <Button fullWidth mb="sm" leftSection={<IconPlus size={16} />} onClick={() => (store.start(), list.close())}>
          New chat
        </Button>
        {chatList}
      </Drawer>
      <Suspense>{areSettingsUsed && <SettingsDrawer key={chat.id} chat={chat} isOpen={areSettingsOpen} onClose={settings.close} />}</Suspense>
    </div>
  );
}
