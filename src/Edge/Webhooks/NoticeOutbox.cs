using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Azure;
using Microsoft.Extensions.Logging;
using OllamaMax.Storage;
using OllamaMax.Storage.Queues;

namespace OllamaMax.Edge.Webhooks;

/// <summary>
/// Keeps in storage what is not told yet, so that another edge goes on where this one ends, in the middle of it or between two tries. An operation to put it, and one to take it away. Where storage does
/// not answer it is told all the same, and lost with the edge.
/// </summary>
internal sealed partial class NoticeOutbox(NoticeQueue queue, TimeProvider time, ILogger<NoticeOutbox> logger)
{
    /// <summary>Beyond the next try: an edge that ended shows by then.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromMinutes(2);

    /// <summary>Storage that hangs holds up nobody who is to be told of just that.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>The same for each edge that is to tell the same address.</summary>
    public static string TargetOf(string url) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(url)).AsSpan(..8));

    public async Task<PendingNotice> KeepAsync(string target, Notice notice, CancellationToken cancellationToken)
    {
        QueueHold? hold = null;
        string text = JsonSerializer.Serialize(new StoredNotice(target, notice), NoticeJson.Default.StoredNotice);
        await TryAsync(async token => hold = await queue.PutAsync(text, Grace, token), cancellationToken);
        return new(target, notice, hold);
    }

    /// <summary>It is tried again after this.</summary>
    public Task HoldAsync(PendingNotice pending, TimeSpan wait, CancellationToken cancellationToken) =>
        TryAsync(token => pending.Hold?.HideAsync(TimeSpan.FromSeconds(Math.Ceiling((wait + Grace).TotalSeconds)), token) ?? Task.CompletedTask, cancellationToken);

    /// <summary>It was told, or is given up.</summary>
    public Task DropAsync(PendingNotice pending, CancellationToken cancellationToken) => TryAsync(token => pending.Hold?.DeleteAsync(token) ?? Task.CompletedTask, cancellationToken);

    /// <summary>Another edge is to have it now.</summary>
    public Task LeaveAsync(PendingNotice pending) => TryAsync(token => pending.Hold?.HideAsync(TimeSpan.Zero, token) ?? Task.CompletedTask, CancellationToken.None);

    /// <summary>What edges have left that are no more.</summary>
    /// <exception cref="RequestFailedException">Storage refused or cannot be reached.</exception>
    public async Task<IReadOnlyList<PendingNotice>> TakeAsync(CancellationToken cancellationToken)
    {
        List<PendingNotice> taken = [];
        foreach (var (text, hold) in await queue.TakeAsync(Grace, cancellationToken))
        {
            if (Read(text) is { } stored)
            {
                taken.Add(new(stored.Target, stored.Notice, hold));
                continue;
            }
            LogUnreadable(hold.MessageId);
            await hold.DeleteAsync(cancellationToken);
        }
        return taken;
    }

    private static StoredNotice? Read(string text)
    {
        try
        {
            return JsonSerializer.Deserialize(text, NoticeJson.Default.StoredNotice);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private async Task TryAsync(Func<CancellationToken, Task> action, CancellationToken cancellationToken)
    {
        using CancellationTokenSource patience = new(Patience, time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            await action(either.Token);
        }
        catch (Exception e) when (StorageFailure.Is(e, cancellationToken))
        {
            LogNotKept(e.Message);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Storage did not take note of what is to be told by webhook: {Reason}")]
    private partial void LogNotKept(string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "Message {Message} of the queue of notices cannot be read, and is deleted")]
    private partial void LogUnreadable(string message);
}
