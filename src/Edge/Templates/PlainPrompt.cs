using System.Text;
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
        StringBuilder prompt = new();
        string? last = null;
        foreach (ChatMessage message in messages.Where(m => m.Role is "user" or "assistant"))
        {
            // Ollama joins neighbours of the same role so.
            if (message.Role == last)
                prompt.Append("\n\n");
            prompt.Append(message.Content);
            last = message.Role;
        }
        return prompt.ToString();
    }
}
