using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OllamaMax.Cluster;
using OllamaMax.Diagnostics;
using OllamaMax.Leases;

namespace OllamaMax.Edge.Cluster.Leading;

/// <summary>
/// What each instance does now and then: take part in the election, and where it leads, run the reconcilers that are due. Called by a loop of the local host, and by
/// a timer trigger of a function app. No instance need live until its next tick; what is remembered here only saves passes.
/// </summary>
public sealed partial class LeaderTick
{
    private const string Done = "done";

    private readonly LeaderElection _election;
    private readonly IReadOnlyList<IReconciler> _reconcilers;
    private readonly LeaderMetrics _metrics;
    private readonly TimeSpan _renewEvery;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Dictionary<IReconciler, (long Epoch, long At)> _passes = [];
    private long? _epoch;

    internal LeaderTick(
        LeaderElection election,
        IEnumerable<IReconciler> reconcilers,
        LeaderMetrics metrics,
        IOptions<ClusterOptions> options,
        TimeProvider time,
        ILogger<LeaderTick> logger)
    {
        _election = election;
        _reconcilers = [.. reconcilers];
        _metrics = metrics;
        _renewEvery = options.Value.Tick;
        _time = time;
        _logger = logger;
    }

    /// <summary>
    /// One tick to its end; the lease is renewed meanwhile as long as the reconcilers take, and they end when it is lost. That storage cannot be reached is logged: the
    /// next tick tries again. Not to be called while it runs.
    /// </summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (await ElectAsync(cancellationToken) is not var (term, lost))
            return;
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(lost, cancellationToken);
        Task passes = PassAsync(term, either.Token);
        try
        {
            while (!await EndsWithinAsync(passes, _renewEvery))
                await ElectAsync(cancellationToken);
        }
        finally
        {
            await passes;
        }
    }

    private async Task<(LeaderTerm Term, CancellationToken Lost)?> ElectAsync(CancellationToken cancellationToken)
    {
        (LeaderTerm Term, CancellationToken Lost)? leads = null;
        try
        {
            leads = await _election.TickAsync(cancellationToken);
        }
        catch (Exception e) when (e is StoreException or InvalidOperationException)
        {
            // Invalid: others have changed a document again and again, just before it was taken over.
            LogStoreFailed(e);
        }
        catch (DocumentException e)
        {
            LogUnreadable(e.Message);
        }
        Note(leads?.Term.Epoch);
        return leads;
    }

    private async Task PassAsync(LeaderTerm term, CancellationToken cancellationToken)
    {
        foreach (IReconciler reconciler in _reconcilers)
        {
            if (cancellationToken.IsCancellationRequested)
                return;
            // Another term's passes are another leader's: in between somebody else may have led.
            if (_passes.TryGetValue(reconciler, out var last) && last.Epoch == term.Epoch && _time.GetElapsedTime(last.At) < reconciler.Every)
                continue;
            long at = _time.GetTimestamp();
            if (await PassAsync(reconciler, term, cancellationToken))
                _passes[reconciler] = (term.Epoch, at);
        }
    }

    private async Task<bool> PassAsync(IReconciler reconciler, LeaderTerm term, CancellationToken cancellationToken)
    {
        using Activity? activity = Telemetry.Source.StartActivity($"reconcile {reconciler.Name}");
        activity?.SetTag("ollamamax.epoch", term.Epoch);
        long start = _time.GetTimestamp();
        string outcome = await OutcomeAsync(reconciler, term, cancellationToken);
        activity?.SetTag("ollamamax.outcome", outcome);
        if (outcome != Done)
            activity?.SetStatus(ActivityStatusCode.Error, outcome);
        _metrics.Passed(reconciler.Name, outcome, _time.GetElapsedTime(start));
        return outcome == Done;
    }

    private async Task<string> OutcomeAsync(IReconciler reconciler, LeaderTerm term, CancellationToken cancellationToken)
    {
        try
        {
            if (await reconciler.ReconcileAsync(term, cancellationToken))
                return Done;
            LogRefused(reconciler.Name, term.Epoch);
            _election.Refused(term);
            return "refused";
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return "lost";
        }
        catch (Exception e)
        {
            // Whatever it was, a request's own time limit too: the others are not to wait for this one; its next pass finds what this one has left.
            LogPassFailed(e, reconciler.Name);
            return "failed";
        }
    }

    private void Note(long? epoch)
    {
        if (epoch != _epoch && epoch is { } now)
            LogLeads(now);
        else if (epoch is null && _epoch is { } before)
            LogLeadsNoMore(before);
        _epoch = epoch;
        _metrics.Leads(epoch);
    }

    private async Task<bool> EndsWithinAsync(Task task, TimeSpan patience)
    {
        if (task.IsCompleted)
            return true;
        using CancellationTokenSource stopWaiting = new();
        bool hasEnded = await Task.WhenAny(task, Task.Delay(patience, _time, stopWaiting.Token)) == task;
        stopWaiting.Cancel();
        return hasEnded;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "This edge leads the cluster, in epoch {Epoch}")]
    private partial void LogLeads(long epoch);

    [LoggerMessage(Level = LogLevel.Information, Message = "This edge does not lead the cluster any more; it did in epoch {Epoch}")]
    private partial void LogLeadsNoMore(long epoch);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Storage failed the election; trying again at the next tick")]
    private partial void LogStoreFailed(Exception exception);

    [LoggerMessage(Level = LogLevel.Error, Message = "This edge cannot lead: {Reason}")]
    private partial void LogUnreadable(string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The pass of {Reconciler} was refused: another leader has followed on epoch {Epoch}")]
    private partial void LogRefused(string reconciler, long epoch);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The pass of {Reconciler} failed; later again")]
    private partial void LogPassFailed(Exception exception, string reconciler);
}
