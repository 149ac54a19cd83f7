import DOMPurify from "dompurify";
import { Marked } from "marked";
import { type Takeover } from "../api/answer";

/** Private characters stand for the takeovers until the text is HTML: they go through markdown and code alike. */
const FirstMark = 0xe000;
const Marks = /[\ue000-\uf8ff]/g;

export type Highlight = (code: string, language: string) => string | undefined;

const escape = (text: string): string => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

// A picture would tell its server who looks: it becomes a link. Links open apart from the page and do not say where they were followed from.
const purify = DOMPurify(window);
purify.addHook("afterSanitizeAttributes", (node) => {
  if (node.tagName !== "A") return;
  node.setAttribute("target", "_blank");
  node.setAttribute("rel", "noopener noreferrer");
});

/** What a model wrote, as HTML that can do no harm. */
export function toHtml(text: string, takeovers: readonly Takeover[], highlight: Highlight | undefined): string {
  let marked = "";
  let from = 0;
  takeovers.forEach((takeover, index) => {
    marked += text.slice(from, takeover.at).replace(Marks, "") + String.fromCharCode(FirstMark + index);
    from = takeover.at;
  });
  marked += text.slice(from).replace(Marks, "");
  const html = (highlight ? (coloured ??= parser(highlight)) : plain).parse(marked, { async: false });
  const shown = html.replace(Marks, (mark) => {
    const takeover = takeovers[mark.charCodeAt(0) - FirstMark];
    return takeover ? `<mark class="takeover" title="${escape(takeover.reason)}">⇄ taken over from ${escape(takeover.from)}</mark>` : "";
  });
  return purify.sanitize(shown, { USE_PROFILES: { html: true }, FORBID_TAGS: ["style", "form", "input", "button", "img", "video", "audio"], FORBID_ATTR: ["style"], SANITIZE_NAMED_PROPS: true });
}

const parser = (highlight: Highlight | undefined): Marked =>
  new Marked({
    gfm: true,
    breaks: true,
    renderer: {
      code({ text, lang }) {
        const language = (lang ?? "").split(/\s/)[0] ?? "";
        return `<pre tabindex="0"><code>${highlight?.(text, language) ?? escape(text)}</code></pre>`;
      },
      image({ href, text }) {
        return `<a href="${escape(href)}">${escape(text || href)}</a>`;
      },
      // HTML in an answer is shown as the text that it is.
      html({ text }) {
        return escape(text);
      },
    },
  });

const plain = parser(undefined);

/** There is one highlighting, which comes later. */
let coloured: Marked | undefined;
