using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OllamaMax.GpuWorker.Health;
using OllamaMax.Inference;
using OllamaMax.Inference.Native;
using OllamaMax.Jobs;
using OllamaMax.Workers;

namespace OllamaMax.GpuWorker.Models;

/// <summary>
/// The models in this worker's memory. Loaded when a job first needs them, one at a time; kept as jobs say, and as long as there is room (<see cref="ModelTable"/>).
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
    private readonly ModelTable _models = new(new ModelRoom(memory, options.Value, time), time, logger);
    private readonly LoadFailures _failures = new(time);
    private HashSet<string> _warm = [];
    private readonly SemaphoreSlim _oneAtATime = new(1);
    private readonly CancellationTokenSource _stopping = new();

    /// <summary>A model has come or gone. Called on any thread.</summary>
    public event Action? Changed
    {
        add => _models.Changed += value;
        remove => _models.Changed -= value;
    }

    /// <summary>Decode steps of all engines.</summary>
    public long Steps
    {
        get
        {
            lock (_models.Lock)
                return _models.All_NeedsLock.Sum(entry => entry.Engine?.Engine.Steps ?? 0);
        }
    }

    /// <summary>Jobs that the model with the most slots runs at once; null while none is loaded.</summary>
    public int? Slots
    {
        get
        {
            lock (_models.Lock)
                return _models.All_NeedsLock.Max(entry => entry.Engine?.Engine.Slots);
        }
    }

    /// <summary>Engines that somebody uses.</summary>
    public IReadOnlyList<(string Digest, IInferenceEngine Engine)> InUse()
    {
        lock (_models.Lock)
            return [.. _models.All_NeedsLock.Where(entry => entry.Uses > 0 && entry.Engine is not null).Select(entry => (entry.Digest, entry.Engine!.Engine))];
    }

    /// <summary>Models here, in memory or on disk.</summary>
    public IReadOnlyList<HeldModel> Held()
    {
        IReadOnlyList<string> replicated = replicas.List();
        lock (_models.Lock)
            return [.. replicated.Select(Describe_NeedsLock)];
    }

    /// <summary>Exactly these are to stay in memory, once they are there; who is no longer among them stays as long as any other.</summary>
    public void KeepWarm(IReadOnlySet<string> digests)
    {
        lock (_models.Lock)
        {
            if (_warm.SetEquals(digests))
                return;
            _warm = [.. digests];
            foreach (ModelEntry entry in _models.All_NeedsLock.Where(entry => entry.IsWarm != _warm.Contains(entry.Digest)).ToList())
            {
                entry.IsWarm = !entry.IsWarm;
                if (entry is { Uses: 0, Engine: not null })
                    _models.Idle_NeedsLock(entry);
            }
        }
        _models.HasChanged();
    }

    /// <summary>Whether the model is not here, and can come without putting out any that somebody uses, or used a short while ago, or that is to stay.</summary>
    /// <param name="digest">The model's.</param>
    /// <param name="path">Its copy.</param>
    public bool CanWarm(string digest, string path) => _models.CanCome(digest, Measure(path));

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
            lock (_models.Lock)
            {
                bool isNew = (entry = _models.Find_NeedsLock(digest)) is null;
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
                return new ModelUse(engine.Engine, () => _models.Release(entry));
            }
            catch
            {
                _models.Release(entry);
                throw;
            }
        }
    }

    /// <summary>Has the model leave memory as soon as nobody uses it.</summary>
    public void Unload(string digest)
    {
        lock (_models.Lock)
        {
            if (_models.Find_NeedsLock(digest) is not { } entry)
                return;
            entry.KeepAlive = TimeSpan.Zero;
            if (entry.Uses == 0)
                _models.Idle_NeedsLock(entry);
        }
    }

    public async ValueTask DisposeAsync()
    {
        // The worker ends with its models, and its container disposes of all once more.
        if (_stopping.IsCancellationRequested)
            return;
        await _stopping.CancelAsync();
        await _models.LeaveAllAsync();
        _oneAtATime.Dispose();
    }

    private MemoryNeed Measure(string path) => loader.Measure(path, memory.Gpus);

    private HeldModel Describe_NeedsLock(string digest) =>
        (_models.Find_NeedsLock(digest)?.Describe(time.GetUtcNow(), meters) ?? new HeldModel(digest, Loaded: false)) with { Warm = _warm.Contains(digest) ? true : null };

    private ModelEntry Begin_NeedsLock(string digest)
    {
        _failures.ThrowIfTooSoon(digest);
        var entry = new ModelEntry(digest, options.Value.KeepAlive) { IsWarm = _warm.Contains(digest) };
        _models.Add_NeedsLock(entry);
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
                long room = await _models.MakeRoomAsync(entry);
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
            lock (_models.Lock)
            {
                if (e is ModelLoadException)
                    _failures.Add(entry.Digest, e.Message);
                _models.Forget_NeedsLock(entry);
            }
            _models.HasChanged();
            throw;
        }
    }

    private void Loaded(ModelEntry entry, LoadedEngine engine)
    {
        lock (_models.Lock)
        {
            _failures.Forget(entry.Digest);
            entry.Engine = engine;
            // Of the room that there was it may have taken more, for more slots, or less.
            entry.Reserved = engine.MemoryBytes > 0 ? engine.MemoryBytes : entry.Reserved;
            // Who wanted it may have left.
            if (entry.Uses == 0)
                _models.Idle_NeedsLock(entry);
        }
        _ = ForgetBrokenAsync(entry, engine);
        _models.HasChanged();
    }

    /// <summary>The next who asks for the model gets a new engine at once; who has the broken one hears from it.</summary>
    private async Task ForgetBrokenAsync(ModelEntry entry, LoadedEngine engine)
    {
        await engine.Engine.Broken;
        lock (_models.Lock)
            _models.Forget_NeedsLock(entry);
        await engine.DisposeAsync();
        _models.HasChanged();
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Loading {Digest}, {Megabytes} MB")]
    private partial void LogLoading(string digest, long megabytes);

    [LoggerMessage(Level = LogLevel.Information, Message = "Loaded {Digest} in {Milliseconds:0} ms")]
    private partial void LogLoaded(string digest, double milliseconds);
}
