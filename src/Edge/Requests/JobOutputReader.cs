using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Requests;

/// <summary>
/// Reads a log with two things that an async enumeration lacks: taking what is there without waiting (so that one flush sends it all)
/// and waiting with a limit (so that silence is noticed).
/// </summary>
internal sealed class JobOutputReader : IAsyncDisposable
{
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _reading;
    private readonly IAsyncEnumerator<JobOutput> _entries;
    private Task<bool>? _pending;

    public JobOutputReader(JobOutputLog log, TimeProvider time, CancellationToken cancellationToken)
    {
        _time = time;
        _reading = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _entries = log.ReadAsync(_reading.Token).GetAsyncEnumerator(CancellationToken.None);
    }

    /// <summary>The next entry if it is there. Not to be called after the entry that ends the job.</summary>
    /// <exception cref="OperationCanceledException">The reading was cancelled.</exception>
    public bool TryRead([NotNullWhen(true)] out JobOutput? entry)
    {
        entry = null;
        _pending ??= Next();
        if (!_pending.IsCompleted)
            return false;
        if (!_pending.GetAwaiter().GetResult())
            throw new UnreachableException("A log ends with the job's end, and nothing is read after that.");
        _pending = null;
        entry = _entries.Current;
        return true;
    }

    /// <summary>Waits for the next entry; false when <paramref name="limit"/> passed without one.</summary>
    public async ValueTask<bool> WaitAsync(TimeSpan limit)
    {
        Task pending = _pending ??= Next();
        await pending.WaitAsync(limit, _time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return pending.IsCompleted;
    }

    public async ValueTask DisposeAsync()
    {
        // An enumerator must not be disposed while it moves.
        await _reading.CancelAsync();
        if (_pending is Task pending)
            await pending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _entries.DisposeAsync();
        _reading.Dispose();
    }

    private Task<bool> Next()
    {
        ValueTask<bool> next = _entries.MoveNextAsync();
        return next.AsTask();
    }
}
