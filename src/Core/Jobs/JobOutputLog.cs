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
            _complete = output is JobOutput.Finished or JobOutput.Failed;
            wake = _more;
            _more = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        wake.SetResult();
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
