import { type Chat } from "./types";

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
  const request = action((await (database ??= open())).transaction(Store, mode).objectStore(Store));
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

export const loadChats = (): Promise<Chat[]> => run("readonly", (store) => store.getAll() as IDBRequest<Chat[]>);

export const saveChat = (chat: Chat): Promise<unknown> => run("readwrite", (store) => store.put(chat));

export const deleteChat = (id: string): Promise<unknown> => run("readwrite", (store) => store.delete(id));
