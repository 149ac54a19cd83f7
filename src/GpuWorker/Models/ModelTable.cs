using Microsoft.Extensions.Logging;
using OllamaMax.Inference;

namespace OllamaMax.GpuWorker.Models;

/// <summary>
/// The models in memory, on their way there, and leaving it: each stays until its time is over, or others need its room. The one unused for longest makes way;
/// who is in use is never put out. Methods in <c>_NeedsLock</c> are called under <see cref="Lock"/>.
/// </summary>
/// <param name="room">Of this machine.</param>
/// <param name="time">Of staying.</param>
/// <param name="logger">Of whoever loads the models.</param>
internal sealed partial class ModelTable(ModelRoom room, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan LongestTimer = TimeSpan.FromDays(20);

    private readonly Dictionary<string, ModelEntry> _entries = [];
    private TaskCompletionSource _roomChanged = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Lock Lock { get; } = new();

    public IReadOnlyCollection<ModelEntry> All_NeedsLock => _entries.Values;

    /// <summary>A model has come or gone. Called on any thread.</summary>
    public event Action? Changed;

    public void HasChanged() => Changed?.Invoke();

    /// <summary>Null where it is not here.</summary>
    public ModelEntry? Find_NeedsLock(string digest) => _entries.GetValueOrDefault(digest);

    /// <summary>Whether it is not here, and can come without putting out any that somebody uses, or used a short while ago, or that is to stay.</summary>
    public bool CanCome(string digest, MemoryNeed need)
    {
        lock (Lock)
            return !_entries.ContainsKey(digest) && room.HasRoomBeside(need, _entries.Values);
    }

    public void Add_NeedsLock(ModelEntry entry) => _entries.Add(entry.Digest, entry);

    /// <summary>Somebody has used it.</summary>
    public void Release(ModelEntry entry)
    {
        lock (Lock)
        {
            entry.UsedAt = time.GetTimestamp();
            if (--entry.Uses == 0)
                Idle_NeedsLock(entry);
        }
    }

    /// <summary>Nobody uses it any more: it goes, or waits for its time.</summary>
    public void Idle_NeedsLock(ModelEntry entry)
    {
        if (Find_NeedsLock(entry.Digest) != entry)
            return;
        if (entry.Engine is null)
        {
            // What is read already is worth having; only waiting for room, which others may need, is given up.
            if (entry.HasRoom)
                return;
            entry.BeginLeaving();
            entry.Abandoned.Cancel();
            return;
        }
        if (entry.Leaving is not null || (entry.KeepAlive == TimeSpan.Zero && !entry.IsWarm))
            Leave_NeedsLock(entry);
        else if (entry.IsWarm)
            entry.StopExpiry();
        else if (entry.KeepAlive > TimeSpan.Zero)
            ArmExpiry_NeedsLock(entry, entry.KeepAlive);
    }

    /// <summary>Sets the model's need aside, after putting out others where there is too little.</summary>
    /// <returns>Bytes that it may take: as much, and what else is free.</returns>
    public async Task<long> MakeRoomAsync(ModelEntry entry)
    {
        long need = room.NeedOf(entry);
        ModelEntry? victim = null;
        try
        {
            while (true)
            {
                Task changed;
                lock (Lock)
                {
                    changed = _roomChanged.Task;
                    ModelEntry? onGpus = room.ToPutOffGpus(entry, _entries.Values);
                    if (onGpus is null && room.TryReserve(entry, need, _entries.Values))
                        return room.FreeFor(entry, _entries.Values);
                    if (victim?.Leaving is null or { Task.IsCompleted: true } && (victim = onGpus ?? ModelRoom.ToPutOut(_entries.Values)) is not null)
                        PutOut_NeedsLock(victim);
                }
                LogWaiting(entry.Digest, victim?.Digest);
                await changed.WaitAsync(entry.Abandoned.Token);
            }
        }
        catch (OperationCanceledException)
        {
            lock (Lock)
                victim?.StayAfterAll();
            throw;
        }
    }

    /// <summary>The worker ends: all go, those in use too.</summary>
    public Task LeaveAllAsync()
    {
        List<ModelEntry> all;
        lock (Lock)
        {
            all = [.. _entries.Values];
            foreach (ModelEntry entry in all)
            {
                entry.BeginLeaving();
                entry.Abandoned.Cancel();
            }
        }
        return Task.WhenAll(all.Select(UnloadAsync));
    }

    /// <summary>It is not here any more: whoever waits for room looks again.</summary>
    public void Forget_NeedsLock(ModelEntry entry)
    {
        if (Find_NeedsLock(entry.Digest) != entry)
            return;
        _entries.Remove(entry.Digest);
        entry.Replica?.Dispose();
        entry.Expiry?.Dispose();
        entry.Leaving?.TrySetResult();
        TaskCompletionSource changed = _roomChanged;
        _roomChanged = new(TaskCreationOptions.RunContinuationsAsynchronously);
        changed.SetResult();
    }

    private void ArmExpiry_NeedsLock(ModelEntry entry, TimeSpan after)
    {
        entry.ExpiresAt = time.GetUtcNow() is var now && after < DateTimeOffset.MaxValue - now ? now + after : DateTimeOffset.MaxValue;
        entry.Expiry?.Dispose();
        entry.Expiry = time.CreateTimer(_ => Expire(entry), null, after < LongestTimer ? after : LongestTimer, Timeout.InfiniteTimeSpan);
    }

    private void Expire(ModelEntry entry)
    {
        lock (Lock)
        {
            // It may have been used again while the timer fired.
            if (entry.ExpiresAt is not { } at || entry.Uses > 0 || entry.Leaving is not null)
                return;
            TimeSpan left = at - time.GetUtcNow();
            if (left > TimeSpan.Zero)
                ArmExpiry_NeedsLock(entry, left);
            else
                Leave_NeedsLock(entry);
        }
    }

    private void PutOut_NeedsLock(ModelEntry entry)
    {
        if (entry.Uses == 0)
            Leave_NeedsLock(entry);
        else
            entry.BeginLeaving();
    }

    private void Leave_NeedsLock(ModelEntry entry)
    {
        entry.BeginLeaving();
        _ = UnloadAsync(entry);
    }

    private async Task UnloadAsync(ModelEntry entry)
    {
        // Not on the caller's thread: it may hold the lock.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            await using LoadedEngine engine = await entry.Loading;
            LogUnloaded(entry.Digest);
        }
        catch (Exception e)
        {
            // It was never there; whoever asked for it has been told.
            LogNeverLoaded(e, entry.Digest);
        }
        lock (Lock)
            Forget_NeedsLock(entry);
        HasChanged();
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Digest} waits for room until {Victim} has left")]
    private partial void LogWaiting(string digest, string? victim);

    [LoggerMessage(Level = LogLevel.Information, Message = "Unloaded {Digest}")]
    private partial void LogUnloaded(string digest);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Digest} never came into memory")]
    private partial void LogNeverLoaded(Exception exception, string digest);
}
