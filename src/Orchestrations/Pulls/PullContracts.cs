namespace OllamaMax.Orchestrations.Pulls;

/// <param name="Model">What it will be called, and, without <paramref name="From"/>, where it is.</param>
/// <param name="From">A GGUF file's address; null: the registry that the name's host is.</param>
public sealed record PullInput(string Model, string? From)
{
    /// <summary>By which whoever cancels it and whoever makes the model know it; null: it was begun by an edge of an older version.</summary>
    public string? Run { get; init; }
}

/// <summary>How far a pull is after a slice of it.</summary>
/// <param name="Completed">Bytes that are there.</param>
/// <param name="Total">Bytes of all that is counted so far.</param>
public sealed record PullSlice(long Completed, long Total)
{
    /// <summary>The model is there.</summary>
    public bool IsDone { get; init; }

    /// <summary>Somebody cancelled it.</summary>
    public bool IsCancelled { get; init; }

    /// <summary>Why it will not be; null: it may be.</summary>
    public string? Error { get; init; }
}

/// <param name="State">completed, failed or cancelled.</param>
public sealed record PullResult(string State, long Completed, long Total, string? Error = null)
{
    /// <summary>Why a pull has no model that was ended before it had: nothing is wrong.</summary>
    public const string WasCancelled = "the pull was cancelled; the next one goes on where it was";
}
