using OllamaMax.GpuWorker.Dispatch;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Records;
using OllamaMax.Storage.Jobs;
using OllamaMax.Streaming;

namespace OllamaMax.GpuWorker.Background;

/// <summary>
/// Appends an attempt's chunks to the job's output: the first token and the end at once, otherwise what has come together. Looks for stop
/// strings on the way, as nobody else reads along. Not safe for concurrent use.
/// </summary>
internal sealed class OutputWriter(JobClaimGrant grant, JobOutputBlob output, AnswerReplay replay, RunningAttempt attempt, TimeProvider time)
{
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(500);

    /// <summary>Storage takes 50,000 blocks: after each of so many the interval has doubled, and the last comes after weeks.</summary>
    private const double BlocksPerDoubling = 5000;

    private readonly TimeSpan _begunAt = time.Elapsed();
    private TimeSpan _writtenAt = TimeSpan.MinValue / 2;
    private Chunk? _pending;
    private string _text = "";
    private int _sent = replay.Tokens;

    /// <summary>How the attempt ended, once that is stored.</summary>
    public AttemptEnd? End { get; private set; }

    /// <summary>Leave to send to those who have subscribed to the job.</summary>
    public ReplyCapability Subscribers { get; private set; } = grant.Grant.Reply;

    /// <summary>Time until there is something to write, unless it is urgent.</summary>
    public TimeSpan Next
    {
        get
        {
            TimeSpan left = _writtenAt + Interval - time.Elapsed();
            return left > TimeSpan.Zero ? left : Interval;
        }
    }

    private TimeSpan Interval => Shortest * Math.Pow(2, output.Blocks / BlocksPerDoubling);

    public void Renew(JobClaimGrant renewed) => Subscribers = renewed.Grant.Reply;

    /// <summary>Writes what is there; false when this attempt may not write any more.</summary>
    /// <exception cref="Azure.RequestFailedException">Storage cannot be reached: the next call tries the same again.</exception>
    public async Task<bool> WriteAsync(CancellationToken cancellationToken)
    {
        if ((_pending ??= Collect()) is not { } chunk)
            return true;
        if (!await output.AppendAsync(grant.Grant.Attempt.Number, chunk, cancellationToken))
            return false;
        attempt.Output.Acknowledge(new Ack(attempt.Nonce, chunk.NextIndex, Ended: chunk.End is not null), time.Elapsed());
        _pending = null;
        _writtenAt = time.Elapsed();
        End = chunk.End;
        return true;
    }

    /// <summary>What has been stored since the last call; null: nothing.</summary>
    public JobProgress? TakeProgress()
    {
        if (_pending is not null || (_sent == replay.Tokens && End is null))
            return null;
        var progress = new JobProgress(grant.Grant.JobId, grant.Grant.Attempt.Number, _sent, replay.Tokens, _text, Ended: End is not null);
        _text = "";
        _sent = replay.Tokens;
        return progress;
    }

    private Chunk? Collect()
    {
        if (attempt.Output.Collect(time.Elapsed()) is not { } chunk)
            return null;
        _text += replay.Append(chunk).Text;
        if (replay.IsStopped)
        {
            attempt.Cancel();
            return chunk.Until(replay.Tokens) with { End = new AttemptEnd { Reason = EndReason.Stop, EvalDuration = chunk.End?.EvalDuration ?? time.Elapsed() - _begunAt } };
        }
        // What only the end makes final comes with it, from the stream: it has no token that would tell a reader whether it has it.
        return chunk;
    }
}
