using OllamaMax.Edge.Templates;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Requests;

/// <summary>
/// The prompt of a conversation that ends with the assistant's own words: it ends with them too, in the turn as the template writes it, so that the model
/// goes on with them. What is begun of an answer follows no reasoning but the message's own.
/// </summary>
/// <param name="tags">What stands around the model's reasoning; null where it does none.</param>
/// <param name="render">Renders turns; the second says whether behind them the assistant's next begins, the third whether it is to reason.</param>
internal sealed class ContinuedTurn((string Open, string Close)? tags, Func<IReadOnlyList<ChatMessage>, bool, bool, string> render)
{
    /// <summary>Stands for the text, which templates trim, and behind which they end the turn.</summary>
    private const string Marker = "\u2042goes on\u2042";

    public static bool IsAsked(InferenceRequest request) =>
        request.RawPrompt is null && request.Messages is [.., { Role: "assistant", ToolCalls.Count: 0 }];

    /// <summary>Whether a text ends behind an opening tag and before the closing one.</summary>
    public static bool EndsBetween(string text, string open, string close) =>
        text.LastIndexOf(open, StringComparison.Ordinal) > text.LastIndexOf(close, StringComparison.Ordinal);

    /// <exception cref="TemplateException">The template refuses the conversation, or is broken.</exception>
    public string Prompt(IReadOnlyList<ChatMessage> turns)
    {
        ChatMessage last = turns[^1];
        ChatMessage[] before = [.. turns.SkipLast(1)];
        if (tags is var (open, _) && last.Content.TrimStart().StartsWith(open, StringComparison.Ordinal))
            return BeforeReasoning(render(before, true, true), open) + last.Content;
        bool hasReasoning = last.Thinking is not null;
        string? own = Own([.. before, last with { Content = Marker }], hasReasoning);
        if (own is not null && (tags is null || before.Length == 0))
            return own + last.Content;
        string begun = render(before, true, hasReasoning);
        return (own is null || BeginsReasoning(begun, own) ? BehindReasoning(begun, last.Thinking) : own) + last.Content;
    }

    /// <summary>Up to where the last turn's text begins; null where the template does not write such a turn.</summary>
    private string? Own(IReadOnlyList<ChatMessage> turns, bool hasReasoning)
    {
        try
        {
            string all = render(turns, false, hasReasoning);
            int at = all.LastIndexOf(Marker, StringComparison.Ordinal);
            return at < 0 ? null : all[..at];
        }
        catch (TemplateException)
        {
            // What is wrong with the turns before it is said where these are rendered.
            return null;
        }
    }

    /// <summary>Whether the model's turns begin with reasoning that the template leaves out of those that are past.</summary>
    private bool BeginsReasoning(string begun, string own) =>
        tags is var (open, _) && begun.StartsWith(own, StringComparison.Ordinal) && begun.AsSpan(own.Length).TrimStart().StartsWith(open, StringComparison.Ordinal);

    private static string BeforeReasoning(string begun, string open)
    {
        string trimmed = begun.TrimEnd();
        return trimmed.EndsWith(open, StringComparison.Ordinal) ? trimmed[..^open.Length] : begun;
    }

    private string BehindReasoning(string begun, string? reasoning)
    {
        string trimmed = begun.TrimEnd();
        return tags is var (open, close) && trimmed.EndsWith(open, StringComparison.Ordinal) ? $"{trimmed}\n{reasoning}\n{close}\n\n" : begun;
    }
}
