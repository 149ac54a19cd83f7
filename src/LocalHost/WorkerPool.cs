using Microsoft.Extensions.Logging;
using OllamaMax.LocalHost.Data;
using OllamaMax.LocalHost.Processes;

namespace OllamaMax.LocalHost;

/// <summary>The worker processes of this machine, each started again when it ends.</summary>
internal sealed class WorkerPool : IAsyncDisposable
{
    private readonly IReadOnlyList<SupervisedChild> _workers;

    private WorkerPool(int count, Func<string, ChildSpec> spec, ILogger logger, TimeProvider time)
    {
        _workers = [.. Enumerable.Range(1, count).Select(n => new SupervisedChild(spec($"worker-{n}"), logger, time))];
    }

    /// <param name="count">How many.</param>
    /// <param name="edge">Where they enrol.</param>
    /// <param name="data">Each gets a folder of its own in there; the replicas are everyone's.</param>
    /// <param name="exact">Whether they compute independently of what else runs.</param>
    /// <param name="diskBudget">Of the replicas, as people write it; null: none.</param>
    /// <param name="forward">Servers whose models they offer as well.</param>
    /// <param name="newJoinToken">Makes a token; every start of every worker takes one.</param>
    /// <param name="say">Takes a line at each start.</param>
    /// <param name="logger">Takes their output.</param>
    /// <param name="time">The clock of the restarts.</param>
    public static WorkerPool Start(
        int count, Uri edge, DataFolder data, bool exact, string? diskBudget, IReadOnlyList<string> forward, Func<CancellationToken, ValueTask<string>> newJoinToken,
        Action<string> say, ILogger logger, TimeProvider time) =>
        new(count, name => Spec(name, edge, data, exact, diskBudget, forward, newJoinToken, say), logger, time);

    /// <summary>All at once: together they have the grace of one.</summary>
    public async ValueTask DisposeAsync() => await Task.WhenAll(_workers.Select(worker => worker.DisposeAsync().AsTask()));

    private static ChildSpec Spec(
        string name, Uri edge, DataFolder data, bool exact, string? diskBudget, IReadOnlyList<string> forward, Func<CancellationToken, ValueTask<string>> newJoinToken, Action<string> say) => new()
        {
            Name = name,
            Command = async cancellationToken => WorkerLaunch.For(
                name, edge, data.Folder(Path.Combine("workers", name)), data.Folder("replicas"), await newJoinToken(cancellationToken), exact, diskBudget, forward),
            OnStarted = pid => say($"{name} started, pid {pid}"),
            // It has its own time and level already.
            OnLine = line => say($"{name}: {line}"),
            StopGrace = StopGraces.Workers,
        };

}
