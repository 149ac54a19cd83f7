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

    /// <param name="options">How many, and how they run.</param>
    /// <param name="edge">Where they enrol.</param>
    /// <param name="data">Each gets a folder of its own in there; the replicas are everyone's.</param>
    /// <param name="newJoinToken">Makes a token; every start of every worker takes one.</param>
    /// <param name="say">Takes a line at each start.</param>
    /// <param name="logger">Takes their output.</param>
    /// <param name="time">The clock of the restarts.</param>
    /// <param name="shutdown">None is started any more.</param>
    public static WorkerPool Start(
        LocalHostOptions options, Uri edge, DataFolder data, Func<CancellationToken, ValueTask<string>> newJoinToken, Action<string> say, ILogger logger, TimeProvider time, CancellationToken shutdown) =>
        new(options.Workers, name => Spec(name, options, edge, data, newJoinToken, say, shutdown), logger, time);

    /// <summary>All at once: together they have the grace of one.</summary>
    public async ValueTask DisposeAsync() => await Task.WhenAll(_workers.Select(worker => worker.DisposeAsync().AsTask()));

    private static ChildSpec Spec(
        string name, LocalHostOptions options, Uri edge, DataFolder data, Func<CancellationToken, ValueTask<string>> newJoinToken, Action<string> say, CancellationToken shutdown) => new()
        {
            Name = name,
            Command = async cancellationToken => WorkerLaunch.For(
                name, edge, data.Folder(Path.Combine("workers", name)), data.Folder("replicas"), await newJoinToken(cancellationToken), options),
            OnStarted = pid => say($"{name} started, pid {pid}"),
            // It has its own time and level already.
            OnLine = line => say($"{name}: {line}"),
            AllEnd = shutdown,
            StopGrace = StopGraces.Workers,
        };
}
