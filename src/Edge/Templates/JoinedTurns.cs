using OllamaMax.Jobs;

namespace OllamaMax.Edge.Templates;

/// <summary>
/// Neighbouring messages of one role as one, as Ollama has them for its templates: many a template refuses turns that do not alternate, or a second system message.
/// What has more than a text (reasoning, calls, the result of one) stays a message of its own.
/// </summary>
internal static class JoinedTurns
{
    public const string Between = "\n\n";

    public static IReadOnlyList<ChatMessage> Of(IReadOnlyList<ChatMessage> messages)
    {
        List<ChatMessage> turns = [];
        int next = 0;
        while (next < messages.Count)
        {
            ChatMessage first = messages[next];
            ChatMessage[] same = IsText(first) ? [.. messages.Skip(next).TakeWhile(message => message.Role == first.Role && IsText(message))] : [first];
            turns.Add(same.Length == 1 ? first : new(first.Role, string.Join(Between, same.Select(message => message.Content))));
            next += same.Length;
        }
        return turns;
    }

    private static bool IsText(ChatMessage message) =>
        message.Role is "system" or "user" or "assistant" && message.Thinking is null && message.ToolCalls.Count == 0;
}
