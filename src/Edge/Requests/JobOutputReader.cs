using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Requests;

/// <summary>
/// Reads a log with two things that an async enumeration lacks: taking what is there without waiting (so that one flush sends it all)
/// and a task to wait for as long as is wanted (so that silence is noticed).
/// </summary>
internal sealed class JobOutputReader : IAsyncDisposable
{
    private readonly CancellationTokenSource _reading;
    private readonly IAsyncEnumerator<JobOutput> _entries;
    private Task<bool>? _pending;

    public JobOutputReader(JobOutputLog log, CancellationToken cancellationToken)
    {
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

    /// <summary>Completes with the next entry's coming, also when it is cancelled.</summary>
    public Task Pending => _pending ??= Next();

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
