import { type Chat, type Message } from "./types";

/** Chats in the browser's own database: they never leave this machine. */
const Store = "chats";

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open("ollamamax", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(Store, { keyPath: "id" });
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
  });
}

let database: Promise<IDBDatabase> | undefined;

async function run<T>(mode: IDBTransactionMode, action: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  return ended(action((await (database ??= open())).transaction(Store, mode).objectStore(Store)));
}

const ended = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

const isRunning = (message: Message): boolean => message.role === "assistant" && message.state === "running";

export const loadChats = (): Promise<Chat[]> => run("readonly", (store) => store.getAll() as IDBRequest<Chat[]>);

export const loadChat = (id: string): Promise<Chat | undefined> => run("readonly", (store) => store.get(id) as IDBRequest<Chat | undefined>);

/**
 * Keeps a chat, with what other tabs have made of it meanwhile.
 * @param known The chat's messages as they were kept when this tab last looked; undefined: it was not kept yet.
 * @returns What is kept now; undefined: another tab has deleted the chat, and it stays so.
 */
export async function saveChat(chat: Chat, known: ReadonlySet<string> | undefined): Promise<Chat | undefined> {
  const store = (await (database ??= open())).transaction(Store, "readwrite").objectStore(Store);
  const kept = await ended(store.get(chat.id) as IDBRequest<Chat | undefined>);
  if (!kept && known) return undefined;
  const merged = kept ? { ...chat, messages: merge(chat.messages, kept.messages, known ?? new Set()) } : chat;
  await ended(store.put(merged));
  return merged;
}

/**
 * This tab's messages with those that another has added, without those that it has taken out. What the other has seen the end of stays as it is there: this one may be a moment behind.
 * @param known Those that both had: one that a side lacks was taken out there.
 */
export function merge(own: Message[], others: Message[], known: ReadonlySet<string>): Message[] {
  const mine = new Map(own.map((message) => [message.id, message]));
  const theirs = new Set(others.map((message) => message.id));
  return [
    ...others
      .filter((message) => mine.has(message.id) || !known.has(message.id))
      .map((other) => {
        const message = mine.get(other.id);
        return message && (!isRunning(message) || isRunning(other)) ? message : other;
      }),
    ...own.filter((message) => !theirs.has(message.id) && !known.has(message.id)),
  ];
}

export const idsOf = (chat: Chat): ReadonlySet<string> => new Set(chat.messages.map((message) => message.id));

export const deleteChat = (id: string): Promise<unknown> => run("readwrite", (store) => store.delete(id));
