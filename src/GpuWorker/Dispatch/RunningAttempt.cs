using OllamaMax.Jobs;
using OllamaMax.Security;
using OllamaMax.Streaming;

namespace OllamaMax.GpuWorker.Dispatch;

/// <summary>An attempt that this worker has accepted, until its owner (an edge, or a job's record in storage) has all of its output.</summary>
/// <param name="outbox">To the edge that owns it; null where a record does.</param>
internal sealed class RunningAttempt(GrantMessage grant, AttemptBuffer output, EdgeOutbox? outbox) : IDisposable
{
    private readonly CancellationTokenSource _cancel = new();

    public string JobId => grant.JobId;

    public string Nonce => grant.Attempt.Nonce;

    /// <summary>What its output is sealed with; null: nothing.</summary>
    public AttemptSeal? Seal => grant.Seal;

    public EdgeOutbox? Outbox => outbox;

    public AttemptBuffer Output => output;

    /// <summary>The engine that runs it; null before the model is in memory, and for engines whose steps say nothing about a hang.</summary>
    public IInferenceEngine? Engine { get; set; }

    public CancellationToken Cancelled => _cancel.Token;

    /// <summary>Set before the cancellation when another worker is to go on.</summary>
    public bool HandBack { get; private set; }

    public void Cancel(bool handBack = false)
    {
        HandBack |= handBack;
        _cancel.Cancel();
    }

    public void Dispose() => _cancel.Dispose();
}
