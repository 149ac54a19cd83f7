using System.Diagnostics;
using System.Threading.Channels;
using OllamaMax.Bench.Reporting;

namespace OllamaMax.Bench.Dispatch;

/// <summary>
/// Lets a job wait in the queue because all slots are busy, frees a slot as soon as its message stands there, and notes when the worker has taken
/// the message and when it begins.
/// </summary>
internal sealed class QueuedJobs(Stage stage) : IDisposable
{
    private readonly HttpTrace _trace = new(stage.Storage);
    private readonly Channel<long> _begun = Channel.CreateUnbounded<long>();
    private readonly SemaphoreSlim _gate = new(0);

    public Kind Warm { get; } = new();

    public Kind Idle { get; } = new();

    /// <param name="kind">Null: the sample does not count.</param>
    public async Task MeasureAsync(Kind? kind, CancellationToken cancellationToken)
    {
        stage.Engine.BeforeToken = BeforeTokenAsync;
        List<Task> answers = [];
        for (int i = 0; i < stage.Engine.Slots; i++)
            answers.Add(stage.Chat.GenerateAsync(1, null, cancellationToken));
        for (int i = 0; i < stage.Engine.Slots; i++)
            await _begun.Reader.ReadAsync(cancellationToken);

        Task<long> put = _trace.NextPutAsync();
        answers.Add(stage.Chat.GenerateAsync(1, null, cancellationToken));
        long enqueued = await put.WaitAsync(cancellationToken);
        long freed = Stopwatch.GetTimestamp();
        _gate.Release();
        long begun = await _begun.Reader.ReadAsync(cancellationToken);
        // The worker asks for as much as it has slots: the last answer before the job began is the one that brought it.
        long taken = _trace.LastGet;
        _gate.Release(stage.Engine.Slots);
        await Task.WhenAll(answers);
        stage.Engine.BeforeToken = static (_, _) => Task.CompletedTask;

        kind?.Pickup.Add(Stopwatch.GetElapsedTime(enqueued, taken));
        kind?.Grant.Add(Stopwatch.GetElapsedTime(taken, begun));
        kind?.Idling.Add(Stopwatch.GetElapsedTime(freed, begun));
    }

    public void Report(BenchResult result)
    {
        Table table = result.Add(Table.OfTimes(
            "From the queue to the worker",
            $"All {stage.Engine.Slots} slots of a scripted engine are busy, one more job comes, and a slot is freed when storage has confirmed its message. " +
            "Pickup: until the worker has the message; grant: from then until the engine begins (claim, grant); idle slot: from the freed slot until then."));
        foreach ((string name, Kind kind) in new[] { ("warm", Warm), ("from idle", Idle) })
        {
            table.Add($"enqueue to pickup, {name}", kind.Pickup.Times);
            table.Add($"pickup to engine, {name}", kind.Grant.Times);
            table.Add($"idle slot, {name}", kind.Idling.Times);
        }
    }

    public void Dispose()
    {
        _trace.Dispose();
        _gate.Dispose();
    }

    private Task BeforeTokenAsync(int index, CancellationToken cancellationToken)
    {
        _begun.Writer.TryWrite(Stopwatch.GetTimestamp());
        return _gate.WaitAsync(cancellationToken);
    }

    internal sealed class Kind
    {
        public Samples Pickup { get; } = new();

        public Samples Grant { get; } = new();

        public Samples Idling { get; } = new();
    }
}
