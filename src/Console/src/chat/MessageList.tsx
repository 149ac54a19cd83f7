import { Button, Text, VisuallyHidden } from "@mantine/core";
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import { MessageView } from "./MessageView";
import * as store from "./store";
import { type Chat } from "./types";

/** Of a long chat so many are laid out at first, and as many more each time that its begin comes into sight. */
const Portion = 30;

/** Closer to the end than this, in pixels, a reader follows the answer as it grows. */
const AtEnd = 80;

export function MessageList({ chat, model }: { chat: Chat; model: string | null }) {
  const [shown, setShown] = useState(Portion);
  const scroller = useRef<HTMLDivElement>(null);
  const top = useRef<HTMLDivElement>(null);
  const follows = useRef(true);
  const last = chat.messages.at(-1);
  const hidden = Math.max(0, chat.messages.length - shown);

  useLayoutEffect(() => {
    if (follows.current) scroller.current!.scrollTop = scroller.current!.scrollHeight;
  }, [chat.messages, shown]);

  // Text is drawn a moment after it came.
  useEffect(() => {
    const watch = new MutationObserver(() => {
      if (follows.current) scroller.current!.scrollTop = scroller.current!.scrollHeight;
    });
    watch.observe(scroller.current!, { childList: true, subtree: true });
    return () => watch.disconnect();
  }, []);

  useEffect(() => {
    if (hidden === 0) return;
    const watch = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting) && !follows.current) setShown((count) => count + Portion);
    }, { root: scroller.current, rootMargin: "600px 0px 0px" });
    watch.observe(top.current!);
    return () => watch.disconnect();
  }, [hidden]);

  const scrolled = () => {
    const element = scroller.current!;
    follows.current = element.scrollHeight - element.scrollTop - element.clientHeight < AtEnd;
  };
  const edit = useCallback((id: string, text: string) => model && store.send(chat.id, text, model, id), [chat.id, model]);
  const again = useCallback((id: string) => model && store.regenerate(chat.id, id, model), [chat.id, model]);

  return (
    <div className="messages" ref={scroller} onScroll={scrolled} tabIndex={0} role="log" aria-live="off" aria-label="Messages">
      <div ref={top} />
      {hidden > 0 && (
        <Button variant="subtle" onClick={() => ((follows.current = false), setShown(shown + Portion))}>
          {hidden} earlier
        </Button>
      )}
      {chat.messages.length === 0 && (
        <div className="welcome">
          <Text fw={600} size="lg">Ask one of your models</Text>
          <Text c="dimmed" size="sm">Answers come directly from the worker that gives them. Chats stay in this browser.</Text>
        </div>
      )}
      {chat.messages.slice(hidden).map((message) => (
        <MessageView key={message.id} message={message} isLast={message === last} onEdit={edit} onAgain={again} />
      ))}
      <VisuallyHidden role="status">
        {last?.role === "assistant" ? (last.state === "running" ? "The answer is coming" : last.state === "done" ? `The answer is there: ${last.text}` : `The answer has ${last.state}`) : ""}
      </VisuallyHidden>
    </div>
  );
}
