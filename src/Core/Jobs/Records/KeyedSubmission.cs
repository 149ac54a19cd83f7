namespace OllamaMax.Jobs.Records;

/// <summary>Which job came of what a client submitted under a key of its own, so that the same once more is no other job.</summary>
/// <param name="JobId">Given before the job is taken on: whoever goes on with a submission that was broken off makes the same one.</param>
/// <param name="Content">Tells a repetition from another request under the same key; no content can be guessed from it without the key.</param>
/// <param name="BegunAt">When the job was last begun to be taken on.</param>
/// <param name="ExpiresAt">From then on the key is unknown.</param>
public sealed record KeyedSubmission(string JobId, string Content, DateTimeOffset BegunAt, DateTimeOffset ExpiresAt)
{
    public int Version { get; init; } = 1;

    /// <summary>Its client was told so, or was to be: where there is no job any more it was deleted, or its time was over.</summary>
    public bool IsTaken { get; init; }
}
