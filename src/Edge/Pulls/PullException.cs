namespace OllamaMax.Edge.Pulls;

/// <summary>A pull cannot succeed as it was asked for; the message is for the client.</summary>
internal sealed class PullException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The source does not have what was asked for.</summary>
    public bool IsNotFound { get; init; }

    /// <summary>The source does not let this server have it.</summary>
    public bool IsRefused { get; init; }
}
