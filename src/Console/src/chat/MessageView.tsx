import { Alert, Button, CopyButton, Group, Loader, Text, Textarea } from "@mantine/core";
import { IconCheck, IconCopy, IconPencil, IconRefresh } from "../ui/icons";
import { memo, useState } from "react";
import { type Answer } from "../api/answer";
import { seconds } from "../api/format";
import { Markdown } from "./Markdown";
import { type Message, type Question, type Reply } from "./types";

interface MessageProps {
  message: Message;
  isLast: boolean;
  onEdit: (id: string, text: string) => void;
  onAgain: (id: string) => void;
}

/** Of plain elements: a chat may have ten thousand. */
export const MessageView = memo(function MessageView({ message, isLast, onEdit, onAgain }: MessageProps) {
  return message.role === "user" ? <QuestionView question={message} onEdit={onEdit} /> : <ReplyView reply={message} isLast={isLast} onAgain={onAgain} />;
});

function QuestionView({ question, onEdit }: { question: Question; onEdit: (id: string, text: string) => void }) {
  const [edited, setEdited] = useState<string>();
  if (edited !== undefined) {
    return (
      <article className="message question editing" aria-label="You">
        <Textarea aria-label="Edited question" autosize data-autofocus autoFocus value={edited} onChange={(event) => setEdited(event.currentTarget.value)} />
        <Group gap="xs" justify="flex-end" mt="xs">
          <Button size="xs" variant="default" onClick={() => setEdited(undefined)}>Cancel</Button>
          <Button size="xs" disabled={!edited.trim()} onClick={() => (setEdited(undefined), onEdit(question.id, edited.trim()))}>Ask again</Button>
        </Group>
      </article>
    );
  }
  return (
    <article className="message question" aria-label="You">
      <div className="breaks">{question.text}</div>
      <button className="quiet" title="Edit" onClick={() => setEdited(question.text)}>
        <IconPencil size={16} aria-hidden />
      </button>
    </article>
  );
}

function ReplyView({ reply, isLast, onAgain }: { reply: Reply; isLast: boolean; onAgain: (id: string) => void }) {
  const isRunning = reply.state === "running";
  return (
    <article className="message reply" aria-label={reply.model} aria-busy={isRunning}>
      <ReplyBody reply={reply} />
      {!isRunning && (
        <div className="figures">
          <Figures answer={reply} />
          {reply.text && (
            <CopyButton value={reply.text}>
              {({ copied, copy }) => (
                <button className="quiet" title="Copy the answer" onClick={copy}>
                  {copied ? <IconCheck size={16} aria-hidden /> : <IconCopy size={16} aria-hidden />}
                </button>
              )}
            </CopyButton>
          )}
          {isLast && (
            <button className="quiet" title="Answer again" onClick={() => onAgain(reply.id)}>
              <IconRefresh size={16} aria-hidden />
            </button>
          )}
        </div>
      )}
    </article>
  );
}

/** An answer's thoughts, text and error, and what is waited for. */
export function ReplyBody({ reply }: { reply: Answer }) {
  return (
    <>
      {reply.thinking && (
        <details className="thinking">
          <summary>Thoughts</summary>
          <div className="breaks">{reply.thinking}</div>
        </details>
      )}
      <Markdown text={reply.text} takeovers={reply.takeovers} />
      {reply.state === "running" && (
        <Group gap="xs" className="pending">
          <Loader size="xs" type="dots" aria-hidden />
          <Text size="sm" c="dimmed">{reply.text ? reply.worker : reply.phase === "running" ? `${reply.worker ?? "A worker"} reads` : "Waits for a worker"}</Text>
        </Group>
      )}
      {reply.error && (
        <Alert color="red" variant="outline" role="alert" p="xs">{reply.error}</Alert>
      )}
    </>
  );
}

/** Measured here or by the worker; what was not measured is left out. */
export function Figures({ answer }: { answer: Answer }) {
  const parts = [
    answer.worker,
    answer.firstText !== undefined && `first text after ${seconds(answer.firstText)}`,
    answer.tokensPerSecond !== undefined && `${answer.tokensPerSecond.toFixed(1)} tokens/s`,
    answer.tokens !== undefined && `${answer.tokens} tokens`,
    answer.takeovers.length > 0 && `taken over ${answer.takeovers.length === 1 ? "once" : `${answer.takeovers.length} times`}`,
    answer.state === "stopped" && "stopped",
  ].filter(Boolean);
  return <span className="small">{parts.join(" · ")}</span>;
}
