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
            return FindRunning(request);
    }

    /// <summary>Starts a pull, or takes part in one that runs.</summary>
    /// <param name="request">What is pulled.</param>
    /// <param name="mayWrite">As of <see cref="PullHandle"/>; null: nothing is in its way.</param>
    public PullHandle Join(PullRequest request, Func<CancellationToken, Task<bool>>? mayWrite = null)
    {
        lock (_lock)
        {
            RunningPull? running = FindRunning(request);
            if (running is null)
            {
                running = new RunningPull(request, time, lifetime.ApplicationStopping);
                _running.Add(running);
                running.Start(RunAsync);
            }
            PullHandle follower = new(running, mayWrite, follower => Leave(running, follower));
            running.Followers.Add(follower);
            return follower;
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

    // One that is cancelled, or that nobody follows any more, is ending; a new one waits for what it holds.
    private RunningPull? FindRunning(PullRequest request) => _running.Find(one => one.Request == request && one.Followers.Count > 0 && !one.IsCancelled);

    private void Leave(RunningPull running, PullHandle follower)
    {
        lock (_lock)
        {
            if (running.Followers.Remove(follower) && running.Followers.Count == 0 && _running.Contains(running))
                running.Cancel();
        }
    }

    private async Task<bool> MayWriteAsync(RunningPull running, CancellationToken cancellationToken)
    {
        PullHandle[] followers;
        lock (_lock)
            followers = [.. running.Followers];
        foreach (PullHandle follower in followers)
        {
            if (!await follower.MayWriteAsync(cancellationToken))
                return false;
        }
        return true;
    }

    private async Task<string?> RunAsync(RunningPull running, CancellationToken cancellationToken)
    {
        try
        {
            if (!await pull.RunAsync(running.Request, running.Progress, limited => MayWriteAsync(running, limited), cancellationToken))
                return PullResult.WasCancelled;
            LogPulled(running.Request.Name);
            return null;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return PullResult.WasCancelled;
        }
        catch (CatalogException e)
        {
            // Here storage is at fault: what it said stands in the inner exception.
            LogBroken(e, running.Request.Name);
            return e.Message;
        }
        catch (Exception e) when (e is PullException or ModelPublishException)
        {
            LogFailed(running.Request.Name, e.Message);
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

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Model} could not be pulled: {Reason}")]
    private partial void LogFailed(ModelName model, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "The pull of {Model} broke")]
    private partial void LogBroken(Exception exception, ModelName model);
}
