using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OllamaMax.Edge.Requests;
using OllamaMax.Models;

namespace OllamaMax.Edge.Templates;

/// <summary>Renders once beside the start, so that the first request need not wait for the template engine to be compiled.</summary>
internal sealed partial class TemplateWarmUp(PromptTemplates templates, IModelSource models, ILogger<TemplateWarmUp> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            // Not on the host's starting thread.
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            ModelView? model = (await models.ListAsync(stoppingToken)).FirstOrDefault(model => model.Template is not null);
            if (model is not null)
                templates.WarmUp(model);
        }
        catch (Exception e) when (!stoppingToken.IsCancellationRequested)
        {
            // The first request will be slower, or say what is wrong.
            LogFailed(e);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The chat templates were not warmed up")]
    private partial void LogFailed(Exception exception);
}
