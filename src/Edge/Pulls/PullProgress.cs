using System.Runtime.CompilerServices;

namespace OllamaMax.Edge.Pulls;

/// <summary>How far a pull is, for as many as follow it: every line that began, and of each how far it last was.</summary>
internal sealed class PullProgress(TimeProvider time)
{
    /// <summary>Bytes that are worth a line.</summary>
    private const long Step = 1 << 20;

    private readonly Lock _lock = new();
    private readonly List<PullLine> _lines = [];
    private readonly long _startedAt = time.GetTimestamp();
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _signalled;
    private long _fetched;
    private bool? _isResumable;
    private long? _atRiskSince;

    /// <summary>Bytes of all that is counted, those that are done, and what came per second since the start.</summary>
    public (long Completed, long Total, long BytesPerSecond) Sum
    {
        get
        {
            lock (_lock)
            {
                double seconds = time.GetElapsedTime(_startedAt).TotalSeconds;
                return (_lines.Sum(line => line.Completed), _lines.Sum(line => line.Total), seconds > 0 ? (long)(_fetched / seconds) : 0);
            }
        }
    }

    /// <summary>Bytes are coming.</summary>
    public bool IsFetching
    {
        get
        {
            lock (_lock)
                return _lines.Count > 0 && _lines[^1] is { Total: > 0 } last && last.Completed < last.Total;
        }
    }

    /// <summary>Bytes are coming that stay there whatever happens.</summary>
    public bool IsKept
    {
        get
        {
            lock (_lock)
                return IsFetching && _isResumable == true;
        }
    }

    /// <summary>For so long has come what will have to be fetched again where this is cut off; zero: nothing has.</summary>
    public TimeSpan AtRisk
    {
        get
        {
            lock (_lock)
                return _atRiskSince is { } since ? time.GetElapsedTime(since) : TimeSpan.Zero;
        }
    }

    /// <summary>Whether what comes from now on, and has come of the same file, can be gone on with after a cut; null: its source does not say.</summary>
    public void SayResumable(bool? isResumable)
    {
        lock (_lock)
        {
            _isResumable = isResumable;
            _atRiskSince = isResumable == false ? _atRiskSince ?? time.GetTimestamp() : null;
        }
    }

    public void Begin(PullLine line)
    {
        lock (_lock)
        {
            _lines.Add(line);
            _isResumable = null;
            _signalled = line.Completed;
            Signal_NeedsLock();
        }
    }

    /// <summary>The last line's bytes that are there without having been fetched for it now.</summary>
    public void Show(long completed)
    {
        lock (_lock)
        {
            _lines[^1] = _lines[^1] with { Completed = completed };
            _signalled = completed;
            Signal_NeedsLock();
        }
    }

    /// <summary>The last line's bytes, as they come. A restart may make them fewer.</summary>
    public void Advance(long total, long completed)
    {
        lock (_lock)
        {
            PullLine last = _lines[^1];
            _fetched += Math.Max(0, completed - last.Completed);
            _lines[^1] = last with { Total = total, Completed = completed };
            if (Math.Abs(completed - _signalled) < Step && completed < total)
                return;
            _signalled = completed;
            Signal_NeedsLock();
        }
    }

    /// <summary>All lines from the first on, as they come, until the pull has ended.</summary>
    /// <param name="ended">The pull.</param>
    /// <param name="heartbeat">Silence after which the last line comes again.</param>
    /// <param name="cancellationToken">Ends the following.</param>
    public async IAsyncEnumerable<PullLine> FollowAsync(Task ended, TimeSpan heartbeat, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        int next = 0;
        PullLine? said = null;
        while (true)
        {
            // Asked before the lines are taken: what it said before its end is among them.
            bool isOver = ended.IsCompleted;
            (PullLine[] lines, Task changed) = Take(ref next);
            foreach (PullLine line in lines)
            {
                if (line == said)
                    continue;
                yield return said = line;
            }
            if (isOver)
                yield break;
            Task waiting = Task.WhenAny(changed, ended).WaitAsync(heartbeat, time, cancellationToken);
            await waiting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
            if (waiting.IsFaulted && said is not null)
                yield return said;
        }
    }

    /// <summary>The lines from the last one that was taken on: it may have got further.</summary>
    private (PullLine[] Lines, Task Changed) Take(ref int next)
    {
        lock (_lock)
        {
            PullLine[] lines = [.. _lines[Math.Max(0, next - 1)..]];
            next = _lines.Count;
            return (lines, _changed.Task);
        }
    }

    private void Signal_NeedsLock()
    {
        _changed.SetResult();
        _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
