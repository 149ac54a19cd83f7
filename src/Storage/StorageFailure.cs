using Azure;

namespace OllamaMax.Storage;

/// <summary>What Azure's clients throw where storage refuses or cannot be reached.</summary>
public static class StorageFailure
{
    /// <summary>After their own tries they throw an <see cref="AggregateException"/> of all of these; a server that is silent for too long is a cancellation.</summary>
    /// <param name="e">What was thrown.</param>
    /// <param name="cancellationToken">The caller's: what it cancels is no failure.</param>
    public static bool Is(Exception e, CancellationToken cancellationToken) =>
        e is RequestFailedException or AggregateException or IOException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested);

    /// <summary>Whether storage may take the same a little later: it cannot be reached, is silent or is too busy, and has not refused.</summary>
    /// <param name="e">What was thrown.</param>
    /// <param name="cancellationToken">The caller's: what it cancels is no failure.</param>
    public static bool IsPassing(Exception e, CancellationToken cancellationToken) =>
        e is not RequestFailedException { Status: > 0 and < 500 } && Is(e, cancellationToken);
}
