using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OllamaMax.Models;
using OllamaMax.Orchestrations.Pulls;
using OllamaMax.Storage.Models;

namespace OllamaMax.Edge.Pulls;

/// <summary>
/// The pulls of this edge. Equal ones are one; it lasts as long as somebody follows it, as in Ollama, and what it has fetched stays for the next.
/// </summary>
internal sealed partial class ActivePulls(ModelPull pull, TimeProvider time, IHostApplicationLifetime lifetime, ILogger<ActivePulls> logger)
{
    private readonly Lock _lock = new();
    private readonly List<RunningPull> _running = [];

    public IReadOnlyList<RunningPull> List()
    {
        lock (_lock)
            return [.. _running];
    }

    /// <summary>The one that runs; null: none does.</summary>
    public RunningPull? Find(PullRequest request)
    {
        lock (_lock)
            return _running.Find(one => one.Request == request && one.Followers > 0);
    }

    /// <summary>Starts a pull, or takes part in one that runs.</summary>
    public PullHandle Join(PullRequest request)
    {
        lock (_lock)
        {
            // One that nobody follows any more is ending; the new one waits for what it holds.
            RunningPull? running = _running.Find(one => one.Request == request && one.Followers > 0);
            if (running is null)
            {
                running = new RunningPull(request, time, lifetime.ApplicationStopping);
                _running.Add(running);
                running.Start(RunAsync);
            }
            running.Followers++;
            return new PullHandle(running, () => Leave(running));
        }
    }

    /// <summary>False where there is no such pull.</summary>
    public bool Cancel(string id)
    {
        lock (_lock)
        {
            RunningPull? running = _running.Find(one => one.Id == id);
            running?.Cancel();
            return running is not null;
        }
    }

    private void Leave(RunningPull running)
    {
        lock (_lock)
        {
            if (--running.Followers == 0 && _running.Contains(running))
                running.Cancel();
        }
    }

    private async Task<string?> RunAsync(RunningPull running, CancellationToken cancellationToken)
    {
        try
        {
            await pull.RunAsync(running.Request, running.Progress, cancellationToken);
            LogPulled(running.Request.Name);
            return null;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return PullResult.WasCancelled;
        }
        catch (Exception e) when (e is PullException or ModelPublishException or CatalogException)
        {
            LogFailed(e, running.Request.Name);
            return e.Message;
        }
        catch (Exception e)
        {
            LogBroken(e, running.Request.Name);
            return "the pull failed inside the server";
        }
        finally
        {
            lock (_lock)
            {
                _running.Remove(running);
                running.Dispose();
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Pulled {Model}")]
    private partial void LogPulled(ModelName model);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Model} could not be pulled")]
    private partial void LogFailed(Exception exception, ModelName model);

    [LoggerMessage(Level = LogLevel.Error, Message = "The pull of {Model} broke")]
    private partial void LogBroken(Exception exception, ModelName model);
}
