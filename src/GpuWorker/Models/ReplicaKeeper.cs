using Microsoft.Extensions.Logging;
using OllamaMax.Models;
using OllamaMax.Streaming;
using OllamaMax.Workers;

namespace OllamaMax.GpuWorker.Models;

/// <summary>
/// Carries out what the leader orders of this box's copies: they come a few at a time, in the leader's order. What is ordered is ordered again until the reports show it, so nothing
/// is remembered here.
/// </summary>
internal sealed partial class ReplicaKeeper(ReplicaStore replicas, WarmModels warm, StandingOrders orders, ILogger<ReplicaKeeper> logger) : IDisposable
{
    /// <summary>Copies made at once on orders: each has several lanes already.</summary>
    private const int AtOnce = 2;

    private readonly Lock _lock = new();
    private readonly HashSet<string> _ordered = [];
    private readonly SemaphoreSlim _turns = new(AtOnce);
    private readonly CancellationTokenSource _stopping = new();

    /// <summary>Takes an order, on the caller's thread; what takes long goes on beside.</summary>
    public void Ordered(ReplicaOrdersMessage message)
    {
        if (!orders.Admits(message.Epoch))
        {
            LogOldOrder(message.Epoch);
            return;
        }
        _ = CarryOutAsync(message);
    }

    public void Cancelled(CancelTransferMessage message)
    {
        if (replicas.Cancel(message.Model))
            LogCancelled(message.Model);
    }

    /// <summary>What is still waiting for its turn is given up. The source and the turns stay usable: an order may just be coming.</summary>
    public void Dispose() => _stopping.Cancel();

    private async Task CarryOutAsync(ReplicaOrdersMessage message)
    {
        // Not on the caller's thread: all messages come on it.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            // They become names of files.
            replicas.Pin(message.Pinned.Where(ModelDigest.IsValid).ToHashSet());
            foreach (string digest in message.Evict.Where(ModelDigest.IsValid))
                replicas.Evict(digest);
            Task warming = message.Warm is { } wanted ? warm.KeepAsync(wanted.Where(ModelDigest.IsValid).ToHashSet(), _stopping.Token) : Task.CompletedTask;
            await Task.WhenAll(message.Ensure.Where(ModelDigest.IsValid).Where(IsNew).Select(EnsureAsync).Append(warming));
        }
        catch (OperationCanceledException)
        {
            // The worker ends.
        }
        catch (Exception e)
        {
            // One order's surprise must not be lost; the next order tries again.
            LogFailed(e);
        }
    }

    private bool IsNew(string digest)
    {
        lock (_lock)
            return !replicas.HasFailed(digest) && _ordered.Add(digest);
    }

    private async Task EnsureAsync(string digest)
    {
        try
        {
            await _turns.WaitAsync(_stopping.Token);
            try
            {
                await replicas.EnsureAsync(digest, _stopping.Token);
            }
            finally
            {
                _turns.Release();
            }
        }
        finally
        {
            lock (_lock)
                _ordered.Remove(digest);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "An order of epoch {Epoch} about copies is ignored: its sender does not lead any more")]
    private partial void LogOldOrder(long epoch);

    [LoggerMessage(Level = LogLevel.Information, Message = "The copying of {Digest} is cancelled")]
    private partial void LogCancelled(string digest);

    [LoggerMessage(Level = LogLevel.Error, Message = "An order about copies could not be carried out")]
    private partial void LogFailed(Exception exception);
}
