import { ActionIcon, Textarea } from "@mantine/core";
import { IconPlayerStopFilled, IconSend } from "../ui/icons";
import { useState, type KeyboardEvent } from "react";

interface ComposerProps {
  isAnswering: boolean;
  isReady: boolean;
  onSend: (text: string) => void;
  onStop: () => void;
}

export function Composer({ isAnswering, isReady, onSend, onStop }: ComposerProps) {
  const [text, setText] = useState("");
  const send = () => {
    if (isAnswering || !isReady || !text.trim()) return;
    onSend(text.trim());
    setText("");
  };
  const keyDown = (event: KeyboardEvent) => {
    // Enter that ends the choice of a character is not the end of the question.
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  };
  return (
    <div className="composer">
      <Textarea
        className="grow"
        aria-label="Question"
        placeholder="Ask something"
        description="Enter sends, Shift+Enter begins a new line"
        inputWrapperOrder={["label", "input", "description", "error"]}
        autosize
        minRows={1}
        maxRows={8}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        onKeyDown={keyDown}
      />
      {isAnswering ? (
        <ActionIcon size={36} color="red" aria-label="Stop" onClick={onStop}>
          <IconPlayerStopFilled size={18} />
        </ActionIcon>
      ) : (
        <ActionIcon size={36} aria-label="Send" disabled={!isReady || !text.trim()} onClick={send}>
          <IconSend size={18} />
        </ActionIcon>
      )}
    </div>
  );
}
