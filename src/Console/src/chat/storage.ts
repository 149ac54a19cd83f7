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

/** What another tab has seen the end of stays as that tab has kept it: this one may be a moment behind. */
export async function saveChat(chat: Chat): Promise<void> {
  const store = (await (database ??= open())).transaction(Store, "readwrite").objectStore(Store);
  if (chat.messages.some(isRunning)) {
    const kept = await ended(store.get(chat.id) as IDBRequest<Chat | undefined>);
    const over = new Map(kept?.messages.filter((message) => !isRunning(message)).map((message) => [message.id, message]));
    chat = { ...chat, messages: chat.messages.map((message) => (isRunning(message) ? (over.get(message.id) ?? message) : message)) };
  }
  await ended(store.put(chat));
}

export const deleteChat = (id: string): Promise<unknown> => run("readwrite", (store) => store.delete(id));
