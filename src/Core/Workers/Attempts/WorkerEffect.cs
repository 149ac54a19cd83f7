using OllamaMax.Streaming;

namespace OllamaMax.Workers.Attempts;

/// <summary>What a worker's ledger wants done. It only decides; whoever drives it sends, runs and reports back.</summary>
public abstract record WorkerEffect
{
    private WorkerEffect()
    {
    }

    /// <summary>Answer a grant.</summary>
    public sealed record Answer(ReplyCapability Reply, GrantAnswer Content) : WorkerEffect;

    /// <summary>Ask a job's owner for the job of a message that was taken from a queue.</summary>
    public sealed record Ask(ReplyCapability Reply, Claim Content) : WorkerEffect;

    /// <summary>Begin an attempt; report its end by <see cref="WorkerLedger.Ended"/>, whatever it is.</summary>
    public sealed record Run(GrantMessage Grant, AttemptBuffer Output) : WorkerEffect;

    /// <summary>End an attempt that runs.</summary>
    /// <param name="Nonce">The attempt.</param>
    /// <param name="HandBack">Another worker is to go on: say so at the end.</param>
    public sealed record Cancel(string Nonce, bool HandBack) : WorkerEffect;

    /// <summary>The attempt has ended and its owner wants nothing more of it.</summary>
    public sealed record Forget(string Nonce) : WorkerEffect;

    /// <summary>Tell an edge how many slots are in use.</summary>
    public sealed record TellSlots(ReplyCapability Reply) : WorkerEffect;

    /// <summary>A slot has become free: another message can be taken.</summary>
    public sealed record SlotFreed : WorkerEffect;

    /// <summary>No edge has acknowledged anything of the attempt for long, so its client is gone too; it is being cancelled.</summary>
    public sealed record EdgeGone(string JobId) : WorkerEffect;
}
