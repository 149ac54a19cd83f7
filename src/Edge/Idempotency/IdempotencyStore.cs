using Microsoft.Extensions.Options;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Requests;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Idempotency;

/// <summary>
/// Keyed runs and their answers, in this edge's memory: SDKs repeat a request by themselves, and the repetition gets the first one's
/// answer. Failures are not kept, a retry is meant to try again.
/// </summary>
internal sealed class IdempotencyStore(TimeProvider time, IOptions<EdgeOptions> options)
{
    private const int EntryBytes = 64;
    private const int AnswerBytes = 1024;

    private readonly Lock _lock = new();
    private readonly Dictionary<(string Tenant, string Key), KeptAnswer> _answers = [];
    private readonly LinkedList<KeptAnswer> _finishedByUse = [];
    private long _finishedBytes;

    /// <summary>The run or answer of that key, 422 if it belongs to another request; null if there is none.</summary>
    public Result<AnswerLease>? Find(IdempotencyKey key)
    {
        lock (_lock)
            return Find_NeedsLock(key);
    }

    /// <param name="key">Key of the request.</param>
    /// <param name="start">Starts the run; must not block, since it is called under the lock: two equal requests cannot both start it.</param>
    /// <param name="model">The own name of the model that runs it.</param>
    public Result<AnswerLease> FindOrStart(IdempotencyKey key, Func<CancellationToken, JobOutputLog> start, string? model)
    {
        KeptAnswer answer;
        lock (_lock)
        {
            if (Find_NeedsLock(key) is { } found)
                return found;
            answer = new(key, start) { Model = model };
            _answers.Add((key.Tenant, key.Value), answer);
        }
        _ = WatchAsync(answer);
        return new AnswerLease(answer.Log, isReplay: false, () => Leave(answer)) { Model = model };
    }

    private Result<AnswerLease>? Find_NeedsLock(IdempotencyKey key)
    {
        if (!_answers.TryGetValue((key.Tenant, key.Value), out KeptAnswer? answer))
            return null;
        if (answer.Key.Content != key.Content)
            return key.ContentDiffers();
        if (answer.Place is { } place)
        {
            _finishedByUse.Remove(place);
            _finishedByUse.AddFirst(place);
        }
        else
        {
            answer.Timer?.Dispose();
            answer.Timer = null;
        }
        answer.Readers++;
        return new AnswerLease(answer.Log, isReplay: true, () => Leave(answer)) { Model = answer.Model };
    }

    private void Leave(KeptAnswer answer)
    {
        lock (_lock)
        {
            answer.Readers--;
            // The end may be in the log and not yet seen by the watcher: then there is nothing to cancel either.
            if (answer.Readers > 0 || answer.Log.IsComplete)
                return;
            answer.Timer = time.CreateTimer(_ => Abandon(answer), null, options.Value.IdempotencyGrace, Timeout.InfiniteTimeSpan);
        }
    }

    private void Abandon(KeptAnswer answer)
    {
        lock (_lock)
        {
            if (answer.Readers > 0 || answer.Log.IsComplete)
                return;
            // A retry from now on is a new run: it must not be handed one that is being cancelled.
            Forget_NeedsLock(answer);
        }
        answer.Gone.Cancel();
    }

    /// <summary>Follows a run to its end and decides then whether it is kept.</summary>
    private async Task WatchAsync(KeptAnswer answer)
    {
        long bytes = AnswerBytes;
        bool isFinished = false;
        await foreach (JobOutput output in answer.Log.ReadAsync(CancellationToken.None))
        {
            bytes += EntryBytes + OutputSize.Of(output);
            isFinished = output is JobOutput.Finished;
        }
        lock (_lock)
        {
            if (!isFinished)
                Forget_NeedsLock(answer);
            else if (answer.IsKept)
                Keep_NeedsLock(answer, bytes);
        }
    }

    private void Keep_NeedsLock(KeptAnswer answer, long bytes)
    {
        answer.Bytes = bytes;
        answer.Place = _finishedByUse.AddFirst(answer);
        answer.Timer?.Dispose();
        answer.Timer = time.CreateTimer(_ => Expire(answer), null, options.Value.IdempotencyLifetime, Timeout.InfiniteTimeSpan);
        _finishedBytes += bytes;
        while (_finishedBytes > options.Value.IdempotencyBytes)
            Forget_NeedsLock(_finishedByUse.Last!.Value);
    }

    private void Expire(KeptAnswer answer)
    {
        lock (_lock)
            Forget_NeedsLock(answer);
    }

    private void Forget_NeedsLock(KeptAnswer answer)
    {
        answer.Timer?.Dispose();
        answer.Timer = null;
        if (!answer.IsKept)
            return;
        answer.IsKept = false;
        _answers.Remove((answer.Key.Tenant, answer.Key.Value));
        if (answer.Place is not { } place)
            return;
        _finishedByUse.Remove(place);
        _finishedBytes -= answer.Bytes;
        answer.Place = null;
    }
}
