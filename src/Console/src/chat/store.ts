import { useSyncExternalStore } from "react";
import { ask, follow, forget, unanswered, type Answer, type Ask } from "../api/answer";
import { messageOf } from "../api/edge";
import { newId } from "../api/newId";
import { deleteChat, idsOf, loadChat, loadChats, merge, saveChat } from "./storage";
import { type Chat, type Message, type Reply } from "./types";

export interface ChatsState {
  isLoaded: boolean;
  chats: Chat[];
  currentId: string;
  /** Chats are not kept: why. */
  error?: string;
}

/** How long changes are gathered before they are written, in ms: an answer changes with each token. */
const SaveAfter = 400;

let state: ChatsState = { isLoaded: false, ...withNew([]) };
const listeners = new Set<() => void>();
const unsaved = new Map<string, ReturnType<typeof setTimeout>>();
const running = new Map<string, AbortController>();
/** The messages of each chat as they were kept when this tab last took over what is kept. */
const known = new Map<string, ReadonlySet<string>>();

export const useChats = (): ChatsState => useSyncExternalStore(subscribe, () => state);

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function set(change: Partial<ChatsState>): void {
  state = { ...state, ...change };
  for (const listener of listeners) listener();
}

function withNew(chats: Chat[]): Pick<ChatsState, "chats" | "currentId"> {
  const chat: Chat = { id: newId(), title: "New chat", model: chats[0]?.model ?? null, settings: {}, messages: [], changedAt: Date.now() };
  return { chats: [chat, ...chats], currentId: chat.id };
}

let loading: Promise<void> | undefined;

/** Brings back what the browser has kept, and goes on with answers that were cut off by a reload. */
export function load(): Promise<void> {
  return (loading ??= (async () => {
    try {
      const kept = (await loadChats()).sort((a, b) => b.changedAt - a.changedAt);
      for (const chat of kept) known.set(chat.id, idsOf(chat));
      set({ isLoaded: true, chats: [...state.chats, ...kept], currentId: kept[0]?.messages.length ? kept[0].id : state.currentId });
      for (const chat of kept) for (const message of chat.messages) if (message.role === "assistant" && message.state === "running") resume(chat.id, message);
    } catch (error) {
      set({ isLoaded: true, error: `Chats are not kept: ${messageOf(error)}` });
    }
  })());
}

export function select(id: string): void {
  set({ currentId: id });
}

export function start(): void {
  const empty = state.chats.find((chat) => chat.messages.length === 0);
  set(empty ? { currentId: empty.id } : withNew(state.chats));
}

export function remove(id: string): void {
  drop(id);
  void report(deleteChat(id));
}

function drop(id: string): void {
  running.get(id)?.abort();
  const chats = state.chats.filter((chat) => chat.id !== id);
  const next = chats[0];
  set(next ? { chats, currentId: state.currentId === id ? next.id : state.currentId } : withNew([]));
  clearTimeout(unsaved.get(id));
  known.delete(id);
}

export function change(id: string, edit: (chat: Chat) => Partial<Chat>): void {
  set({ chats: state.chats.map((chat) => (chat.id === id ? { ...chat, ...edit(chat), changedAt: Date.now() } : chat)) });
  clearTimeout(unsaved.get(id));
  unsaved.set(id, setTimeout(() => void save(id), SaveAfter));
}

async function save(id: string): Promise<void> {
  clearTimeout(unsaved.get(id));
  const chat = state.chats.find((one) => one.id === id);
  if (chat && chat.messages.length > 0) await report(saveChat(chat, known.get(id)).then((kept) => (kept ? takeOver(chat, kept) : drop(id))));
}

/** Shows what another tab has added to a chat or taken out of it; what has changed here since it was written stays. */
function takeOver(written: Chat, kept: Chat): void {
  const [before, after] = [idsOf(written), idsOf(kept)];
  known.set(kept.id, after);
  if (before.size === after.size && kept.messages.every((message) => before.has(message.id))) return;
  set({ chats: state.chats.map((chat) => (chat.id === kept.id ? { ...chat, messages: merge(chat.messages, kept.messages, before) } : chat)) });
}

async function report(write: Promise<unknown>): Promise<void> {
  try {
    await write;
  } catch (error) {
    set({ error: `Chats are not kept: ${messageOf(error)}` });
  }
}

/** Asks; in the place of what stood from `before` on, where something is edited or asked again. */
export function send(id: string, text: string, model: string, before?: string): void {
  const question: Message = { id: newId(), role: "user", text };
  const reply: Reply = { id: newId(), role: "assistant", model, ...unanswered };
  change(id, (chat) => {
    const kept = before === undefined ? chat.messages : chat.messages.slice(0, chat.messages.findIndex((message) => message.id === before));
    return { messages: [...kept, question, reply], model, title: kept.length === 0 ? titleOf(text) : chat.title };
  });
  answer(id, reply);
}

/** Another answer in the place of one. */
export function regenerate(id: string, replyId: string, model: string): void {
  const reply: Reply = { id: newId(), role: "assistant", model, ...unanswered };
  change(id, (chat) => ({ messages: [...chat.messages.slice(0, chat.messages.findIndex((message) => message.id === replyId)), reply] }));
  answer(id, reply);
}

export function stop(id: string): void {
  running.get(id)?.abort();
}

function answer(chatId: string, reply: Reply): void {
  const chat = state.chats.find((one) => one.id === chatId)!;
  run(chatId, reply.id, undefined, (signal, taken) => ask(questionOf(chat, reply), (update) => patch(chatId, reply.id, update), taken, signal, () => kept(chatId, reply.id)));
}

function resume(chatId: string, reply: Reply): void {
  const { id, job } = reply;
  if (job) run(chatId, id, job, (signal) => follow(job, (update) => patch(chatId, id, update), signal, { whenGone: () => kept(chatId, id) }));
  else patch(chatId, id, { state: "failed", error: "the page was left before the question was taken on" });
}

/** @param job Undefined while it is not submitted: `work` tells it then. */
function run(chatId: string, replyId: string, job: string | undefined, work: (signal: AbortSignal, taken: (job: string) => void) => Promise<void>): void {
  running.get(chatId)?.abort();
  const control = new AbortController();
  running.set(chatId, control);
  const taken = (id: string) => {
    job = id;
    // At once: a page that is loaded anew goes on with it.
    patch(chatId, replyId, { job });
    void save(chatId);
  };
  void work(control.signal, taken)
    .then(() => settle(chatId, replyId, job))
    .catch((error: unknown) => set({ error: messageOf(error) }))
    .finally(() => {
      if (running.get(chatId) === control) running.delete(chatId);
    });
}

/** The edge forgets an answer once it is kept here, not before; one that nobody keeps any more too. What failed stays there, for who wants to know why. */
async function settle(chatId: string, replyId: string, job: string | undefined): Promise<void> {
  await save(chatId);
  const reply = replyIn(state.chats.find((chat) => chat.id === chatId), replyId);
  if (job && (!reply || reply.state === "done" || reply.state === "stopped")) await forget(job);
}

const replyIn = (chat: Chat | undefined, id: string): Reply | undefined => chat?.messages.find((message): message is Reply => message.id === id && message.role === "assistant");

/** An answer whose end another tab has seen and kept, before it had the edge forget the job. */
async function kept(chatId: string, replyId: string): Promise<Reply | undefined> {
  // Where the browser keeps nothing, as it has been said, nobody knows.
  const reply = replyIn(await loadChat(chatId).catch(() => undefined), replyId);
  return reply?.state === "running" ? undefined : reply;
}

function patch(chatId: string, replyId: string, update: Partial<Answer & { job: string }>): void {
  change(chatId, (chat) => ({ messages: chat.messages.map((message) => (message.id === replyId ? ({ ...message, ...update } as Message) : message)) }));
}

function questionOf(chat: Chat, reply: Reply): Ask {
  const { system, temperature, maxTokens, schema } = chat.settings;
  const before = chat.messages.slice(0, chat.messages.findIndex((message) => message.id === reply.id));
  return {
    model: reply.model,
    messages: [
      ...(system ? [{ role: "system", content: system }] : []),
      ...before.filter((message) => message.text).map((message) => ({ role: message.role, content: message.text })),
    ],
    options: { ...(temperature === undefined ? {} : { temperature }), ...(maxTokens === undefined ? {} : { num_predict: maxTokens }) },
    ...(schema ? { format: JSON.parse(schema) as unknown } : {}),
  };
}

const titleOf = (text: string): string => (text.length > 48 ? `${text.slice(0, 47)}…` : text);
