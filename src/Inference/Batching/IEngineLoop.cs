using OllamaMax.Jobs;

namespace OllamaMax.Inference.Batching;

/// <summary>Works on jobs of one kind, step by step, and owns the native context that it takes. Used by one thread.</summary>
internal interface IEngineLoop<TJob> : IDisposable
    where TJob : IEngineJob
{
    /// <summary>Steps so far. Any thread may ask.</summary>
    long Steps { get; }

    /// <summary>There is nothing to do.</summary>
    bool IsIdle { get; }

    void Enqueue(TJob job);

    void Step();

    /// <summary>Ends all jobs, running or waiting.</summary>
    void EndAll(EndReason reason, string? error);
}

/// <summary>Disposing it frees what it holds; <see cref="Finish"/> ends it.</summary>
internal interface IEngineJob : IDisposable
{
    CancellationToken Cancellation { get; }

    Task<AttemptEnd> End { get; }

    void Finish(AttemptEnd end);
}
