using OllamaMax.Jobs;
using OllamaMax.Models;

namespace OllamaMax.Edge.Requests;

/// <summary>What a model's Modelfile puts before a conversation.</summary>
internal static class ModelfileMessages
{
    /// <summary>
    /// The system messages, the request's own before the model's, then the model's turns, then the request's. A model without template is shown bare text, which has no
    /// place for them.
    /// </summary>
    public static IReadOnlyList<ChatMessage> Before(InferenceRequest request, ModelView model)
    {
        Modelfile modelfile = model.Modelfile;
        IReadOnlyList<ChatMessage> own = request.Messages;
        if (own.Count == 0 || model.Template is null || (modelfile.System is null && modelfile.Messages.Count == 0))
            return own;
        ChatMessage[] given = [.. own.TakeWhile(message => message.Role == "system")];
        ChatMessage[] system = given.Length > 0 ? given : modelfile.System is { } text ? [new("system", text)] : [];
        return [.. system, .. modelfile.Messages.Select(turn => new ChatMessage(turn.Role, turn.Content)), .. own.Skip(given.Length)];
    }
}
