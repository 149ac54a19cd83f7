using Microsoft.Extensions.Logging;
using OllamaMax.Models;
using OllamaMax.Streaming;
using OllamaMax.Workers;

namespace OllamaMax.GpuWorker.Models;

/// <summary>
/// Carries out what the leader orders of this box's copies: they come a few at a time, in the leader's order. What is ordered is ordered again until the reports show it, so nothing
/// is remembered here.
/// </summary>
internal sealed partial class ReplicaKeeper(ReplicaStore replicas, WarmModels warm, StandingOrders orders, TimeProvider time, ILogger<ReplicaKeeper> logger) : IDisposable
{
    /// <summary>Copies made at once on orders: each has several lanes already.</summary>
    private const int AtOnce = 2;

    /// <summary>Not at the start: after a weekend the leader is to have what is wanted gone on with first.</summary>
    private static readonly TimeSpan TidyEvery = TimeSpan.FromHours(1);

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
        _ = CarryOutAsync(() => ObeyAsync(message));
    }

    public void Cancelled(CancelTransferMessage message)
    {
        if (ModelDigest.IsValid(message.Model) && replicas.Cancel(message.Model))
            LogCancelled(message.Model);
    }

    public void Resumed(ResumeTransferMessage message)
    {
        if (!ModelDigest.IsValid(message.Model))
            return;
        if (replicas.Resume(message.Model))
            LogResumed(message.Model);
        if (message.Begin)
            _ = CarryOutAsync(() => EnsureAsync([message.Model]));
    }

    /// <summary>Frees the disk of what nobody goes on with.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        using PeriodicTimer timer = new(TidyEvery, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stopping))
                await CarryOutAsync(() => replicas.DeleteAbandonedAsync(stopping));
        }
        catch (OperationCanceledException)
        {
            // The worker ends.
        }
    }

    /// <summary>What is still waiting for its turn is given up. The source and the turns stay usable: an order may just be coming.</summary>
    public void Dispose() => _stopping.Cancel();

    private async Task ObeyAsync(ReplicaOrdersMessage message)
    {
        // They become names of files.
        replicas.Pin(message.Pinned.Where(ModelDigest.IsValid).ToHashSet());
        await replicas.EvictAsync([.. message.Evict.Where(ModelDigest.IsValid)], _stopping.Token);
        Task warming = message.Warm is { } wanted ? warm.KeepAsync(wanted.Where(ModelDigest.IsValid).ToHashSet(), _stopping.Token) : Task.CompletedTask;
        await Task.WhenAll(EnsureAsync(message.Ensure.Where(ModelDigest.IsValid)), warming);
    }

    private async Task CarryOutAsync(Func<Task> work)
    {
        // Not on the caller's thread: all messages come on it.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            await work();
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

    private Task EnsureAsync(IEnumerable<string> digests) => Task.WhenAll(digests.Where(IsNew).Select(EnsureAsync));

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

    [LoggerMessage(Level = LogLevel.Information, Message = "{Digest} may be copied again, though that was cancelled or has failed")]
    private partial void LogResumed(string digest);

    [LoggerMessage(Level = LogLevel.Error, Message = "An order about copies could not be carried out")]
    private partial void LogFailed(Exception exception);
}
