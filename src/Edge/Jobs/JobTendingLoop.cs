using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OllamaMax.Jobs;
using OllamaMax.Storage.Jobs;

namespace OllamaMax.Edge.Jobs;

/// <summary>
/// Drives <see cref="JobTending"/> for the jobs that this edge knows to be under way: often while there are any, a handful of storage operations an hour otherwise.
/// What is due without anybody knowing of it is the leader's affair (<see cref="Cluster.Leading.JobsReconciler"/>).
/// </summary>
internal sealed partial class JobTendingLoop(
    JobTending tending, ActiveJobs active, IOptions<BackgroundOptions> options, TimeProvider time, ILogger<JobTendingLoop> logger) : BackgroundService
{
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Idle = TimeSpan.FromMinutes(5);

    /// <summary>Whoever reads a job's end may have written it before its worker, or that reader, has announced it.</summary>
    private static readonly TimeSpan Lingers = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan ForgetEvery = TimeSpan.FromMinutes(5);

    /// <summary>Beyond the lease that a worker may still have on the message of a job that has ended.</summary>
    private static readonly TimeSpan UntilClaimed = TimeSpan.FromSeconds(15);

    private readonly WakeSignal _wake = new(time);
    private TimeSpan _interval = Shortest;
    private long _activeAt = time.GetTimestamp();
    private long? _nudgedAt;
    private long? _forgotAt = time.GetTimestamp();
    private readonly long _startedAt = time.GetTimestamp();
    private bool _hasTakenOver, _hasTakenOverAgain;

    private TimeSpan NudgeEvery => options.Value.NudgeEvery;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!options.Value.TakesCompletions)
            return;
        active.Added += _wake.Set;
        try
        {
            while (true)
            {
                bool isMore = await TendAsync(stoppingToken);
                if (!active.IsEmpty)
                    _activeAt = time.GetTimestamp();
                if (!isMore && await _wake.WaitAsync(time.GetElapsedTime(_activeAt) > Lingers ? Idle : _interval, stoppingToken))
                {
                    _interval = Shortest;
                    _activeAt = time.GetTimestamp();
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
        finally
        {
            active.Added -= _wake.Set;
        }
    }

    /// <summary>True: more is there to be done at once.</summary>
    private async Task<bool> TendAsync(CancellationToken stopping)
    {
        try
        {
            await TakeOverAsync(stopping);
            int taken = await tending.TakeCompletionsAsync(stopping);
            if (!active.IsEmpty && IsDue(ref _nudgedAt, NudgeEvery))
                await tending.NudgeAsync(stopping);
            // Nobody tells this edge of the ends that others write.
            if (active.IsEmpty)
                _forgotAt = time.GetTimestamp();
            else if (IsDue(ref _forgotAt, ForgetEvery))
                await tending.ForgetEndedAsync(stopping);
            _interval = taken > 0 ? Shortest : Min(_interval * 1.5, NudgeEvery);
            return taken == CompletionQueue.Most;
        }
        catch (Exception e) when (e is not OperationCanceledException || !stopping.IsCancellationRequested)
        {
            // Whatever it was, a request's own time limit too: jobs, and the edge with them, are not to end for one look at them.
            LogFailed(e);
            _interval = NudgeEvery;
            return false;
        }
    }

    /// <summary>What a predecessor that was killed knew of is known to nobody until the leader's next sweep. Looks twice, unless nothing is under way.</summary>
    private async Task TakeOverAsync(CancellationToken stopping)
    {
        TimeSpan ago = time.GetElapsedTime(_startedAt);
        if (!_hasTakenOver)
            await tending.TakeOverAsync(ago, stopping);
        else if (!_hasTakenOverAgain && ago >= options.Value.Lease + UntilClaimed)
        {
            if (!active.IsEmpty)
                await tending.TakeOverAsync(ago, stopping);
            _hasTakenOverAgain = true;
        }
        _hasTakenOver = true;
    }

    private bool IsDue(ref long? last, TimeSpan every)
    {
        if (last is { } at && time.GetElapsedTime(at) < every)
            return false;
        last = time.GetTimestamp();
        return true;
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    [LoggerMessage(Level = LogLevel.Warning, Message = "Background jobs could not be looked after; trying again")]
    private partial void LogFailed(Exception exception);
}
