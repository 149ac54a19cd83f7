using System.Threading.Channels;
using OllamaMax.Edge.Requests;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Tests.Support;

/// <summary>Stands where the dispatch is: hands each started job to the test, which writes its output.</summary>
internal sealed class ScriptedStarter : IJobStarter
{
    private readonly Channel<StartedJob> _started = Channel.CreateUnbounded<StartedJob>();
    private int _count;

    /// <summary>Runs at once for every job; null: the test writes the output by itself.</summary>
    public Action<StartedJob>? Script { get; set; }

    public int Count => Volatile.Read(ref _count);

    public JobOutputLog Start(Job job, CancellationToken clientGone)
    {
        StartedJob started = new(job, new(), clientGone);
        Interlocked.Increment(ref _count);
        Script?.Invoke(started);
        _started.Writer.TryWrite(started);
        return started.Log;
    }

    public ValueTask<StartedJob> NextAsync() => _started.Reader.ReadAsync(TestContext.Current.CancellationToken);
}
