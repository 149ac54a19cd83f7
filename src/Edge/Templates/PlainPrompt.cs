using OllamaMax.Jobs;

namespace OllamaMax.Edge.Templates;

/// <summary>
/// The prompt of a model without a template, as Ollama's default template <c>{{ .Prompt }}</c> has it: what user and assistant
/// said, one after the other. Such a model only continues text; it knows no system message.
/// </summary>
internal static class PlainPrompt
{
    public static string Render(IReadOnlyList<ChatMessage> messages)
    {
        IEnumerable<ChatMessage> said = messages.Where(message => message.Role is "user" or "assistant").Select(message => new ChatMessage(message.Role, message.Content));
        return string.Concat(JoinedTurns.Of([.. said]).Select(turn => turn.Content));
    }
}
