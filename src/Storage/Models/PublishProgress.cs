namespace OllamaMax.Storage.Models;

/// <param name="Stage">What is going on.</param>
/// <param name="Completed">Bytes done of this stage.</param>
/// <param name="Total">Bytes of this stage.</param>
public sealed record PublishProgress(PublishStage Stage, long Completed, long Total);

public enum PublishStage
{
    /// <summary>The file's digest is computed.</summary>
    Hashing,

    /// <summary>The file goes to blob storage.</summary>
    Uploading,

    /// <summary>The name stands for the file now.</summary>
    Published,
}
