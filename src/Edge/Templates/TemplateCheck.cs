using System.Text.Json;
using Microsoft.Extensions.Logging;
using OllamaMax.Edge.Requests;
using OllamaMax.Jobs;
using OllamaMax.Models;
using OllamaMax.Storage.Models;

namespace OllamaMax.Edge.Templates;

/// <summary>Tries the template of a model that was just published: one that does not work is seen then, and not at the first chat. The model may be of use all the same.</summary>
internal sealed partial class TemplateCheck(ModelCatalog catalog, IPromptRenderer templates, ILogger<TemplateCheck> logger)
{
    /// <returns>What is wrong, as a line of progress; null: nothing.</returns>
    public async Task<string?> WarningAsync(ModelName name, CancellationToken cancellationToken)
    {
        if (await catalog.FindAsync(name, cancellationToken) is not { Template: not null } model)
            return null;
        return Warning(model, "messages", ExampleConversation.Hello, [])
            ?? (model.TakesTools ? Warning(model, "tools", ExampleConversation.Call, [ExampleConversation.Tool]) : null);
    }

    private string? Warning(ModelView model, string what, IReadOnlyList<ChatMessage> messages, IReadOnlyList<JsonElement> tools)
    {
        try
        {
            templates.Render(model, messages, tools, addGenerationPrompt: true, options: null);
            return null;
        }
        catch (TemplateException e)
        {
            LogBroken(e, model.Name, what);
            return $"warning: the chat template does not work with {what}: {e.Message}";
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The chat template of {Model} does not work with {What}: requests with them will fail")]
    private partial void LogBroken(Exception exception, ModelName model, string what);
}
