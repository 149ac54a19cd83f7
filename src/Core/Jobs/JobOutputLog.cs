using System.Runtime.CompilerServices;

namespace OllamaMax.Jobs;

/// <summary>
/// A job's output from the first entry on, for any number of readers: the client, and whoever comes later with the
/// same idempotency key. One writer. Holds the whole answer in memory for as long as it is held.
/// </summary>
public sealed class JobOutputLog
{
    private readonly Lock _lock = new();
    private readonly List<JobOutput> _entries = [];
    private TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Action<JobOutput, bool, int>? _whenEnded;
    private bool _accepted;
    private int _tokens;
    private bool _complete;

    public bool IsComplete
    {
        get
        {
            lock (_lock)
                return _complete;
        }
    }

    public void Append(JobOutput output)
    {
        TaskCompletionSource wake;
        lock (_lock)
        {
            if (_complete)
                throw new InvalidOperationException("The job has ended; nothing can come after its end.");
            _entries.Add(output);
            _accepted |= output is JobOutput.Accepted;
            if (output is JobOutput.Delta delta)
                _tokens = delta.Tokens;
            _complete = output is JobOutput.Finished or JobOutput.Failed;
            if (_complete)
                _whenEnded?.Invoke(output, _accepted, _tokens);
            wake = _more;
            _more = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        wake.SetResult();
    }

    /// <summary>Calls back once: with the job's end, before any reader has it, whether a worker ever accepted it, and the tokens of the answer that came; at once where it has ended already.</summary>
    /// <param name="then">Runs under the log's lock: must neither block nor throw. One for each log.</param>
    public void WhenEnded(Action<JobOutput, bool, int> then)
    {
        lock (_lock)
        {
            if (_complete)
                then(_entries[^1], _accepted, _tokens);
            else
                _whenEnded = then;
        }
    }

    /// <summary>All entries, those to come too, until the job has ended.</summary>
    public async IAsyncEnumerable<JobOutput> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (int next = 0; ;)
        {
            JobOutput? entry = null;
            Task more = Task.CompletedTask;
            lock (_lock)
            {
                if (next < _entries.Count)
                    entry = _entries[next++];
                else if (_complete)
                    yield break;
                else
                    more = _more.Task;
            }
            if (entry is not null)
                yield return entry;
            else
                await more.WaitAsync(cancellationToken);
        }
    }
}
