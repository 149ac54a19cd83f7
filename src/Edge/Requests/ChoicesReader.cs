using System.Diagnostics.CodeAnalysis;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Requests;

/// <summary>Reads the outputs of all jobs of one request, one entry of each in turn, so that none waits for another's end.</summary>
internal sealed class ChoicesReader : IAsyncDisposable
{
    private readonly TimeProvider _time;
    private readonly JobOutputReader[] _readers;
    private readonly bool[] _hasEnded;
    private int _turn;

    public ChoicesReader(AnswerLeases leases, TimeProvider time, CancellationToken cancellationToken)
    {
        _time = time;
        _readers = [.. leases.All.Select(lease => new JobOutputReader(lease.Log, cancellationToken))];
        _hasEnded = new bool[_readers.Length];
    }

    /// <summary>Every job has said its last.</summary>
    public bool IsAtEnd => Array.TrueForAll(_hasEnded, hasEnded => hasEnded);

    /// <summary>An entry that is there, and whose it is.</summary>
    /// <exception cref="OperationCanceledException">The reading was cancelled.</exception>
    public bool TryRead(out int choice, [NotNullWhen(true)] out JobOutput? entry)
    {
        for (int i = 0; i < _readers.Length; i++)
        {
            choice = (_turn + i) % _readers.Length;
            if (_hasEnded[choice] || !_readers[choice].TryRead(out entry))
                continue;
            _turn = choice + 1;
            _hasEnded[choice] = entry is JobOutput.Finished or JobOutput.Failed;
            return true;
        }
        (choice, entry) = (0, null);
        return false;
    }

    /// <summary>Waits for the next entry of any; false when <paramref name="limit"/> passed without one.</summary>
    public async ValueTask<bool> WaitAsync(TimeSpan limit)
    {
        Task[] pending = [.. _readers.Where((_, i) => !_hasEnded[i]).Select(reader => reader.Pending)];
        Task any = pending.Length == 1 ? pending[0] : Task.WhenAny(pending);
        await any.WaitAsync(limit, _time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return any.IsCompleted;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (JobOutputReader reader in _readers)
            await reader.DisposeAsync();
    }
}
