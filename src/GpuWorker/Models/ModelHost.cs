using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OllamaMax.GpuWorker.Health;
using OllamaMax.Inference;
using OllamaMax.Inference.Native;
using OllamaMax.Jobs;
using OllamaMax.Workers;

namespace OllamaMax.GpuWorker.Models;

/// <summary>
/// The models in this worker's memory. Loaded when a job first needs them, one at a time; kept as jobs say; the one unused for longest
/// makes way when there is no room. Who is in use is never put out: what needs its room waits.
/// </summary>
internal sealed partial class ModelHost(
    ReplicaStore replicas,
    IEngineLoader loader,
    MachineMemory memory,
    ModelMeters meters,
    IOptions<WorkerOptions> options,
    TimeProvider time,
    ILogger<ModelHost> logger) : IAsyncDisposable
{
    private static readonly TimeSpan LongestTimer = TimeSpan.FromDays(20);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, ModelEntry> _entries = [];
    private readonly ModelRoom _room = new(memory, options.Value, time);
    private readonly LoadFailures _failures = new(time);
    private HashSet<string> _warm = [];
    private readonly SemaphoreSlim _oneAtATime = new(1);
    private readonly CancellationTokenSource _stopping = new();
    private TaskCompletionSource _roomChanged = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>A model has come or gone. Called on any thread.</summary>
    public event Action? Changed;

    /// <summary>Decode steps of all engines.</summary>
    public long Steps
    {
        get
        {
            lock (_lock)
                return _entries.Values.Sum(entry => entry.Engine?.Engine.Steps ?? 0);
        }
    }

    /// <summary>Jobs that the model with the most slots runs at once; null while none is loaded.</summary>
    public int? Slots
    {
        get
        {
            lock (_lock)
                return _entries.Values.Max(entry => entry.Engine?.Engine.Slots);
        }
    }

    /// <summary>Engines that somebody uses.</summary>
    public IReadOnlyList<(string Digest, IInferenceEngine Engine)> InUse()
    {
        lock (_lock)
            return [.. _entries.Values.Where(entry => entry.Uses > 0 && entry.Engine is not null).Select(entry => (entry.Digest, entry.Engine!.Engine))];
    }

    /// <summary>Models here, in memory or on disk.</summary>
    public IReadOnlyList<HeldModel> Held()
    {
        IReadOnlyList<string> replicated = replicas.List();
        lock (_lock)
            return [.. replicated.Select(Describe_NeedsLock)];
    }

    /// <summary>Exactly these are to stay in memory, once they are there; who is no longer among them stays as long as any other.</summary>
    public void KeepWarm(IReadOnlySet<string> digests)
    {
        lock (_lock)
        {
            if (_warm.SetEquals(digests))
                return;
            _warm = [.. digests];
            foreach (ModelEntry entry in _entries.Values.Where(entry => entry.IsWarm != _warm.Contains(entry.Digest)).ToList())
            {
                entry.IsWarm = !entry.IsWarm;
                if (entry is { Uses: 0, Engine: not null })
                    Idle_NeedsLock(entry);
            }
        }
        Changed?.Invoke();
    }

    /// <summary>Whether the model is not here, and can come without putting out any that somebody uses, or used a short while ago, or that is to stay.</summary>
    /// <param name="digest">The model's.</param>
    /// <param name="path">Its copy.</param>
    public bool CanWarm(string digest, string path)
    {
        MemoryNeed need = Measure(path);
        lock (_lock)
        {
            return !_entries.ContainsKey(digest) && _room.HasRoomBeside(need, _entries.Values);
        }
    }

    /// <summary>The model's engine, fetched and loaded first where needed. It stays while the use is held.</summary>
    /// <param name="keepAlive">How long the model stays after this; null: as it was, negative: for good.</param>
    /// <exception cref="ReplicaException">The weights cannot be had.</exception>
    /// <exception cref="ModelLoadException">The weights cannot be used, or there can be no room for them.</exception>
    public Task<ModelUse> UseAsync(string digest, TimeSpan? keepAlive, CancellationToken cancellationToken) => UseAsync(digest, keepAlive, onlyLengthens: false, cancellationToken);

    /// <param name="onlyLengthens">A stay that is longer already is left as it is; that of a model that nobody has brought here is no such one.</param>
    /// <inheritdoc cref="UseAsync(string, TimeSpan?, CancellationToken)"/>
    public async Task<ModelUse> UseAsync(string digest, TimeSpan? keepAlive, bool onlyLengthens, CancellationToken cancellationToken)
    {
        while (true)
        {
            ModelEntry? entry;
            Task? gone;
            lock (_lock)
            {
                bool isNew = !_entries.TryGetValue(digest, out entry);
                entry ??= Begin_NeedsLock(digest);
                gone = entry.Leaving?.Task;
                if (gone is null)
                    Take_NeedsLock(entry, onlyLengthens && !isNew && IsLonger(entry.KeepAlive, keepAlive) ? null : keepAlive);
            }
            if (gone is not null)
            {
                await gone.WaitAsync(cancellationToken);
                continue;
            }
            try
            {
                LoadedEngine engine = await entry.Loading.WaitAsync(cancellationToken);
                return new ModelUse(engine.Engine, () => Release(entry));
            }
            catch
            {
                Release(entry);
                throw;
            }
        }
    }

    /// <summary>Has the model leave memory as soon as nobody uses it.</summary>
    public void Unload(string digest)
    {
        lock (_lock)
        {
            if (!_entries.TryGetValue(digest, out ModelEntry? entry))
                return;
            entry.KeepAlive = TimeSpan.Zero;
            if (entry.Uses == 0)
                Idle_NeedsLock(entry);
        }
    }

    public async ValueTask DisposeAsync()
    {
        // The worker ends with its models, and its container disposes of all once more.
        if (_stopping.IsCancellationRequested)
            return;
        await _stopping.CancelAsync();
        List<ModelEntry> all;
        lock (_lock)
        {
            all = [.. _entries.Values];
            foreach (ModelEntry entry in all)
            {
                entry.BeginLeaving();
                entry.Abandoned.Cancel();
            }
        }
        await Task.WhenAll(all.Select(UnloadAsync));
        _oneAtATime.Dispose();
    }

    private MemoryNeed Measure(string path) => loader.Measure(path, memory.Gpus);

    private HeldModel Describe_NeedsLock(string digest) =>
        (_entries.GetValueOrDefault(digest)?.Describe(time.GetUtcNow(), meters) ?? new HeldModel(digest, Loaded: false)) with { Warm = _warm.Contains(digest) ? true : null };

    private ModelEntry Begin_NeedsLock(string digest)
    {
        _failures.ThrowIfTooSoon(digest);
        var entry = new ModelEntry(digest, options.Value.KeepAlive) { IsWarm = _warm.Contains(digest) };
        _entries.Add(digest, entry);
        entry.Loading = LoadAsync(entry);
        return entry;
    }

    private static bool IsLonger(TimeSpan stay, TimeSpan? other) => stay < TimeSpan.Zero || (other >= TimeSpan.Zero && stay > other);

    private static void Take_NeedsLock(ModelEntry entry, TimeSpan? keepAlive)
    {
        entry.Uses++;
        entry.KeepAlive = keepAlive ?? entry.KeepAlive;
        entry.StopExpiry();
    }

    private void Release(ModelEntry entry)
    {
        lock (_lock)
        {
            entry.UsedAt = time.GetTimestamp();
            if (--entry.Uses == 0)
                Idle_NeedsLock(entry);
        }
    }

    /// <summary>Nobody uses it any more: it goes, or waits for its time.</summary>
    private void Idle_NeedsLock(ModelEntry entry)
    {
        if (_entries.GetValueOrDefault(entry.Digest) != entry)
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

    private void ArmExpiry_NeedsLock(ModelEntry entry, TimeSpan after)
    {
        entry.ExpiresAt = time.GetUtcNow() is var now && after < DateTimeOffset.MaxValue - now ? now + after : DateTimeOffset.MaxValue;
        entry.Expiry?.Dispose();
        entry.Expiry = time.CreateTimer(_ => Expire(entry), null, after < LongestTimer ? after : LongestTimer, Timeout.InfiniteTimeSpan);
    }

    private void Expire(ModelEntry entry)
    {
        lock (_lock)
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

    private async Task<LoadedEngine> LoadAsync(ModelEntry entry)
    {
        // Not on the caller's thread: it holds the lock.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            entry.Replica = await replicas.HoldAsync(entry.Digest, _stopping.Token);
            entry.Need = Measure(entry.Replica.Path);
            await _oneAtATime.WaitAsync(entry.Abandoned.Token);
            LoadedEngine engine;
            try
            {
                long room = await MakeRoomAsync(entry);
                LogLoading(entry.Digest, entry.Need.Total >> 20);
                engine = await loader.LoadAsync(entry.Replica.Path, room, entry, _stopping.Token);
            }
            finally
            {
                _oneAtATime.Release();
            }
            LogLoaded(entry.Digest, engine.LoadDuration.TotalMilliseconds);
            Loaded(entry, engine);
            return engine;
        }
        catch (Exception e)
        {
            lock (_lock)
            {
                if (e is ModelLoadException)
                    _failures.Add(entry.Digest, e.Message);
                Forget_NeedsLock(entry);
            }
            Changed?.Invoke();
            throw;
        }
    }

    private void Loaded(ModelEntry entry, LoadedEngine engine)
    {
        lock (_lock)
        {
            _failures.Forget(entry.Digest);
            entry.Engine = engine;
            // Of the room that there was it may have taken more, for more slots, or less.
            entry.Reserved = engine.MemoryBytes > 0 ? engine.MemoryBytes : entry.Reserved;
            // Who wanted it may have left.
            if (entry.Uses == 0)
                Idle_NeedsLock(entry);
        }
        _ = ForgetBrokenAsync(entry, engine);
        Changed?.Invoke();
    }

    /// <summary>The next who asks for the model gets a new engine at once; who has the broken one hears from it.</summary>
    private async Task ForgetBrokenAsync(ModelEntry entry, LoadedEngine engine)
    {
        await engine.Engine.Broken;
        lock (_lock)
            Forget_NeedsLock(entry);
        await engine.DisposeAsync();
        Changed?.Invoke();
    }

    /// <summary>Sets the model's need aside, after putting out others where there is too little.</summary>
    /// <returns>Bytes that it may take: as much, and what else is free.</returns>
    private async Task<long> MakeRoomAsync(ModelEntry entry)
    {
        long need = _room.NeedOf(entry);
        ModelEntry? victim = null;
        try
        {
            while (true)
            {
                Task changed;
                lock (_lock)
                {
                    changed = _roomChanged.Task;
                    ModelEntry? onGpus = _room.ToPutOffGpus(entry, _entries.Values);
                    if (onGpus is null && _room.TryReserve(entry, need, _entries.Values))
                        return _room.FreeFor(entry, _entries.Values);
                    if (victim?.Leaving is null or { Task.IsCompleted: true } && (victim = onGpus ?? ModelRoom.ToPutOut(_entries.Values)) is not null)
                        PutOut_NeedsLock(victim);
                }
                LogWaiting(entry.Digest, victim?.Digest);
                await changed.WaitAsync(entry.Abandoned.Token);
            }
        }
        catch (OperationCanceledException)
        {
            lock (_lock)
                victim?.StayAfterAll();
            throw;
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
        lock (_lock)
            Forget_NeedsLock(entry);
        Changed?.Invoke();
    }

    private void Forget_NeedsLock(ModelEntry entry)
    {
        if (_entries.GetValueOrDefault(entry.Digest) != entry)
            return;
        _entries.Remove(entry.Digest);
        entry.Replica?.Dispose();
        entry.Expiry?.Dispose();
        entry.Leaving?.TrySetResult();
        TaskCompletionSource changed = _roomChanged;
        _roomChanged = new(TaskCreationOptions.RunContinuationsAsynchronously);
        changed.SetResult();
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Loading {Digest}, {Megabytes} MB")]
    private partial void LogLoading(string digest, long megabytes);

    [LoggerMessage(Level = LogLevel.Information, Message = "Loaded {Digest} in {Milliseconds:0} ms")]
    private partial void LogLoaded(string digest, double milliseconds);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Digest} waits for room until {Victim} has left")]
    private partial void LogWaiting(string digest, string? victim);

    [LoggerMessage(Level = LogLevel.Information, Message = "Unloaded {Digest}")]
    private partial void LogUnloaded(string digest);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Digest} never came into memory")]
    private partial void LogNeverLoaded(Exception exception, string digest);
}
