using OllamaMax.Jobs;

namespace OllamaMax.Edge.Idempotency;

/// <summary>One keyed run, going on or finished. All of it is guarded by the store's lock, but the log (which guards itself).</summary>
internal sealed class KeptAnswer
{
    /// <param name="key">Key of the request.</param>
    /// <param name="start">Starts the run; its token is cancelled when nobody is left and nobody came back.</param>
    public KeptAnswer(IdempotencyKey key, Func<CancellationToken, JobOutputLog> start)
    {
        Key = key;
        Log = start(Gone.Token);
    }

    public IdempotencyKey Key { get; }

    public CancellationTokenSource Gone { get; } = new();

    public JobOutputLog Log { get; }

    /// <summary>The own name of the model that runs it.</summary>
    public string? Model { get; init; }

    /// <summary>Clients that read it now.</summary>
    public int Readers { get; set; } = 1;

    /// <summary>False once the store has forgotten it: then no retry can find it.</summary>
    public bool IsKept { get; set; } = true;

    /// <summary>Its place by use; null while it runs.</summary>
    public LinkedListNode<KeptAnswer>? Place { get; set; }

    /// <summary>Estimate of its memory; known when it has finished.</summary>
    public long Bytes { get; set; }

    /// <summary>Runs while it waits for a client to come back, then until it expires.</summary>
    public ITimer? Timer { get; set; }
}
