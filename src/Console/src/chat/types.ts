import { type Answer } from "../api/answer";

export interface Question {
  id: string;
  role: "user";
  text: string;
}

/** An answer that is kept: with the model that gave it, and its job while that may still be under way. */
export interface Reply extends Answer {
  id: string;
  role: "assistant";
  model: string;
  job?: string;
}

export type Message = Question | Reply;

export interface ChatSettings {
  system?: string;
  temperature?: number;
  maxTokens?: number;
  /** JSON Schema that answers are to follow, as text. */
  schema?: string;
}

export interface Chat {
  id: string;
  title: string;
  model: string | null;
  settings: ChatSettings;
  messages: Message[];
  /** Unix time in ms. */
  changedAt: number;
}
