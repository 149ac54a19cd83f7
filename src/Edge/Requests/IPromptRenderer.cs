using System.Text.Json;
using OllamaMax.Models;

namespace OllamaMax.Edge.Requests;

/// <summary>SEAM, replaced at the merge by <c>PromptTemplates</c>: the model's own chat template.</summary>
internal interface IPromptRenderer
{
    /// <exception cref="PromptException">The template refuses the conversation.</exception>
    string Render(ModelView model, IReadOnlyList<ChatMessage> messages, IReadOnlyList<JsonElement> tools, bool addGenerationPrompt);
}
