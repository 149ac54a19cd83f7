using OllamaMax.Jobs;
using OllamaMax.Streaming;

namespace OllamaMax.GpuWorker.Dispatch;

/// <summary>An attempt that this worker has accepted, until its owner has all of its output.</summary>
internal sealed class RunningAttempt : IDisposable
{
    private readonly CancellationTokenSource _cancel = new();

    public RunningAttempt(GrantMessage grant, EdgeOutbox outbox, TimeSpan now)
    {
        JobId = grant.JobId;
        Nonce = grant.Attempt.Nonce;
        Outbox = outbox;
        AcknowledgedAt = now;
        Output = new AttemptBuffer(grant.Resume.Count, outbox.Signal);
    }

    public string JobId { get; }

    public string Nonce { get; }

    public EdgeOutbox Outbox { get; }

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
