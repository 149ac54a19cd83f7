using Microsoft.AspNetCore.SignalR;

namespace OllamaMax.LocalHost.SignalR;

/// <summary>A client's connection. Sending never waits for the client: one that reads too slowly is cut off, as the service does.</summary>
internal sealed class SurfaceConnection(HubConnectionContext context)
{
    private const int MaxPendingBytes = 16 * 1024 * 1024;

    private int _pendingBytes;
    private int _received;

    public string Id => context.ConnectionId;

    /// <summary>Null for a client whose token names no user.</summary>
    public string? User => context.UserIdentifier;

    /// <returns>How many messages this connection was sent, this one included.</returns>
    public int Send(SurfaceMessage message)
    {
        if (Interlocked.Add(ref _pendingBytes, message.Bytes) > MaxPendingBytes)
            context.Abort();
        // Writes queue up in the order of the calls inside the context.
        _ = WriteAsync(message);
        return Interlocked.Increment(ref _received);
    }

    public void Abort() => context.Abort();

    private async Task WriteAsync(SurfaceMessage message)
    {
        // Never throws: the context logs what fails and ends the connection.
        await context.WriteAsync(message.Serialized, CancellationToken.None);
        Interlocked.Add(ref _pendingBytes, -message.Bytes);
    }
}

/// <summary>An invocation, serialized once for all who get it.</summary>
internal sealed record SurfaceMessage(SerializedHubMessage Serialized, int Bytes);
