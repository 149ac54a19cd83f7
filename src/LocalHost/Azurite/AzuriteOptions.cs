namespace OllamaMax.LocalHost.Azurite;

/// <summary>How Azurite is run. Ports of 0 are chosen by the system and stay the same over restarts.</summary>
public sealed record AzuriteOptions
{
    /// <summary>The Node.js program.</summary>
    public required string Node { get; init; }

    /// <summary>Folder whose node_modules hold Azurite.</summary>
    public required string RepositoryRoot { get; init; }

    /// <summary>Folder of its data; null keeps everything in memory, until it ends.</summary>
    public string? Location { get; init; }

    /// <summary>Key of its account, base64; null for the well-known one, which whoever reaches the ports can sign with.</summary>
    public string? Key { get; init; }

    public int BlobPort { get; init; }

    public int QueuePort { get; init; }

    public int TablePort { get; init; }

    /// <summary>File that takes one <c>RequestMethod=</c> line per request, among others: storage operations can be counted there.</summary>
    public string? DebugLog { get; init; }
}
