namespace OllamaMax.Edge.Pulls;

/// <summary>One of Ollama's progress lines.</summary>
/// <param name="Status">What is done.</param>
/// <param name="Digest">To which blob; null where that is not known.</param>
/// <param name="Total">Its bytes; 0 where none are counted.</param>
/// <param name="Completed">Those that are done.</param>
internal sealed record PullLine(string Status, string? Digest = null, long Total = 0, long Completed = 0)
{
    /// <summary>The last status, when all is done.</summary>
    public const string Success = "success";

    /// <summary>The last status of a verification that reached the limit of an answer: the same request goes on with it.</summary>
    public const string Unfinished = "unfinished";
}
