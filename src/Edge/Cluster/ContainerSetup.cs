using Azure;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OllamaMax.Storage;

namespace OllamaMax.Edge.Cluster;

/// <summary>Makes the containers of a new account, beside the start: an edge without storage starts all the same, and <c>/readyz</c> says what is missing.</summary>
internal sealed partial class ContainerSetup(StorageAccount storage, ILogger<ContainerSetup> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await storage.CreateContainersAsync(stoppingToken);
        }
        catch (Exception e) when (e is RequestFailedException or AggregateException)
        {
            LogFailed(e);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The containers could not be made")]
    private partial void LogFailed(Exception exception);
}
