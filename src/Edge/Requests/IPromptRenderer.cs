using System.Text.Json;
using OllamaMax.Edge.Templates;
using OllamaMax.Jobs;
using OllamaMax.Models;

namespace OllamaMax.Edge.Requests;

/// <summary>Makes a prompt of a conversation, by the model's own template.</summary>
internal interface IPromptRenderer
{
    /// <exception cref="TemplateException">The template refuses the conversation, or is broken.</exception>
    string Render(
        ModelView model, IReadOnlyList<ChatMessage> messages, IReadOnlyList<JsonElement> tools, bool addGenerationPrompt, TemplateOptions? options);
}
