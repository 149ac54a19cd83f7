import { memo, useDeferredValue, useEffect, useMemo, useState } from "react";
import { type Takeover } from "../api/answer";
import { toHtml, type Highlight } from "./markdown";

let loaded: Highlight | undefined;

/** A model's text. Colours for code come when the first code does. */
export const Markdown = memo(function Markdown({ text, takeovers }: { text: string; takeovers: readonly Takeover[] }) {
  const [highlight, setHighlight] = useState<Highlight | undefined>(() => loaded);
  const hasCode = text.includes("```");
  useEffect(() => {
    if (!hasCode || highlight) return;
    void import("./highlight").then((module) => setHighlight(() => (loaded = module.highlight)));
  }, [hasCode, highlight]);
  // Tokens come faster than a long answer is drawn: what is typed meanwhile goes first.
  const shown = useDeferredValue(text);
  const marks = useDeferredValue(takeovers);
  const html = useMemo(() => toHtml(shown, marks, highlight), [shown, marks, highlight]);
  return <div className="markdown" dangerouslySetInnerHTML={{ __html: html }} />;
});
