import { ActionIcon, Group, Text, UnstyledButton } from "@mantine/core";
import { IconTrash } from "../ui/icons";
import { time } from "../api/format";
import * as store from "./store";
import { type Chat } from "./types";

export function ChatList({ chats, currentId, onChosen }: { chats: Chat[]; currentId: string; onChosen: () => void }) {
  return (
    <ul className="plain">
      {chats.map((chat) => (
        <li key={chat.id} className={chat.id === currentId ? "chat-entry current" : "chat-entry"}>
          <UnstyledButton className="grow" aria-current={chat.id === currentId} onClick={() => (store.select(chat.id), onChosen())}>
            <Text size="sm" truncate>{chat.title}</Text>
            <Text size="xs" c="dimmed">{time(chat.changedAt / 1000)}</Text>
          </UnstyledButton>
          {chat.messages.length > 0 && (
            <Group>
              <ActionIcon variant="subtle" color="gray" aria-label={`Delete the chat ${chat.title}`} onClick={() => store.remove(chat.id)}>
                <IconTrash size={16} />
              </ActionIcon>
            </Group>
          )}
        </li>
      ))}
    </ul>
  );
}
