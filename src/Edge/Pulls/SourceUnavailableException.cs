namespace OllamaMax.Edge.Pulls;

/// <summary>A source did not answer this time: worth another try.</summary>
internal sealed class SourceUnavailableException(string message) : Exception(message)
{
    /// <summary>What the source asks to wait; null where it says nothing.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
