using OllamaMax.Jobs;
using OllamaMax.Streaming;

namespace OllamaMax.GpuWorker.Dispatch;

/// <summary>An attempt that this worker has accepted, until its owner (an edge, or a job's record in storage) has all of its output.</summary>
internal sealed class RunningAttempt : IDisposable
{
    private readonly CancellationTokenSource _cancel = new();

    public RunningAttempt(GrantMessage grant, EdgeOutbox outbox, TimeSpan now)
        : this(grant, outbox.Signal)
    {
        Outbox = outbox;
        AcknowledgedAt = now;
    }

    /// <param name="changed">Called when there is output; true when it should not wait.</param>
    public RunningAttempt(GrantMessage grant, Action<bool> changed)
    {
        JobId = grant.JobId;
        Nonce = grant.Attempt.Nonce;
        Output = new AttemptBuffer(grant.Resume.Count, changed);
    }

    public string JobId { get; }

    public string Nonce { get; }

    /// <summary>To the edge that owns it; null where a record does.</summary>
    public EdgeOutbox? Outbox { get; }

    public AttemptBuffer Output { get; }

    /// <summary>The engine that runs it; null before the model is in memory, and for engines whose steps say nothing about a hang.</summary>
    public IInferenceEngine? Engine { get; set; }

    /// <summary>When the owner was last heard about it.</summary>
    public TimeSpan AcknowledgedAt { get; set; }

    public CancellationToken Cancelled => _cancel.Token;

    /// <summary>Set before the cancellation when another worker is to go on.</summary>
    public bool HandBack { get; private set; }

    /// <summary>It has ended here, whether or not the owner has everything.</summary>
    public bool HasEnded { get; set; }

    public void Cancel(bool handBack = false)
    {
        HandBack |= handBack;
        _cancel.Cancel();
    }

    public void Dispose() => _cancel.Dispose();
}
