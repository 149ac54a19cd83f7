namespace OllamaMax.Jobs.Owning;

/// <summary>Where a <see cref="JobOwner"/> is with its job.</summary>
internal enum OwnerPhase
{
    /// <summary>A worker with a free slot is looked for.</summary>
    Placing,

    /// <summary>A worker is chosen, and its grant is being made, which may need storage. The worker knows nothing yet.</summary>
    Preparing,

    /// <summary>A worker has been granted it, and has not answered.</summary>
    Offered,

    Running,

    /// <summary>Its message is on its way into the queue.</summary>
    Queueing,

    /// <summary>Its message is in the queue.</summary>
    Queued,

    Ended,
}
