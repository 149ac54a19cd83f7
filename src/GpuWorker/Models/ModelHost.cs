using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OllamaMax.Inference;
using OllamaMax.Jobs;
using OllamaMax.Workers;

namespace OllamaMax.GpuWorker.Models;

/// <summary>
/// The models in this worker's memory. Loaded when a job first needs them; the one unused for longest makes way when there are too many.
/// </summary>
internal sealed partial class ModelHost(
    ReplicaStore replicas, IEngineLoader loader, IOptions<WorkerOptions> options, TimeProvider time, ILogger<ModelHost> logger) : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Entry> _entries = [];

    /// <summary>A model has come or gone. Called on any thread.</summary>
    public event Action? Changed;

    /// <summary>Decode steps of all engines.</summary>
    public long Steps => Loaded().Sum(entry => entry.Engine.Engine.Steps);

    /// <summary>Models here, in memory or on disk.</summary>
    public IReadOnlyList<HeldModel> Held()
    {
        lock (_lock)
        {
            return [.. replicas.List().Select(digest => _entries.TryGetValue(digest, out Entry? entry) && entry.Loading.IsCompletedSuccessfully
                ? new HeldModel(digest, Loaded: true, entry.Loading.Result.ContextPerSlot, new FileInfo(replicas.PathOf(digest)).Length)
                : new HeldModel(digest, Loaded: false))];
        }
    }

    /// <summary>The model's engine, fetched and loaded first where needed. It stays while the use is held.</summary>
    /// <exception cref="ReplicaException">The weights cannot be had.</exception>
    /// <exception cref="Inference.Native.ModelLoadException">The weights cannot be used.</exception>
    public async Task<ModelUse> UseAsync(string digest, CancellationToken cancellationToken)
    {
        Entry entry;
        List<Entry> leaving;
        lock (_lock)
        {
            if (!_entries.TryGetValue(digest, out entry!))
                _entries[digest] = entry = new Entry(digest, LoadAsync(digest));
            entry.Uses++;
            leaving = MakeRoom_NeedsLock();
        }
        try
        {
            foreach (Entry old in leaving)
                await UnloadAsync(old);
            LoadedEngine engine = await entry.Loading.WaitAsync(cancellationToken);
            return new ModelUse(engine.Engine, () => Release(entry));
        }
        catch
        {
            Release(entry);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (Entry entry in TakeAll())
            await UnloadAsync(entry);
    }

    private async Task<LoadedEngine> LoadAsync(string digest)
    {
        // Not on the caller's thread: it holds the lock.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            string path = await replicas.EnsureAsync(digest, CancellationToken.None);
            LoadedEngine engine = await loader.LoadAsync(path, CancellationToken.None);
            LogLoaded(digest, engine.LoadDuration.TotalMilliseconds);
            return engine;
        }
        catch
        {
            lock (_lock)
                _entries.Remove(digest);
            throw;
        }
        finally
        {
            // The task is not complete yet; who asks at once still sees it loading, and who asks after the next yield does not.
            _ = NotifyAsync();
        }
    }

    private async Task NotifyAsync()
    {
        await Task.Yield();
        Changed?.Invoke();
    }

    private List<Entry> MakeRoom_NeedsLock()
    {
        List<Entry> leaving = [];
        while (_entries.Count > options.Value.LoadedModels
            && _entries.Values.Where(entry => entry.Uses == 0).MinBy(entry => entry.UsedAt) is { } oldest)
        {
            _entries.Remove(oldest.Digest);
            leaving.Add(oldest);
        }
        return leaving;
    }

    private void Release(Entry entry)
    {
        lock (_lock)
        {
            entry.Uses--;
            entry.UsedAt = time.GetTimestamp();
        }
    }

    private async Task UnloadAsync(Entry entry)
    {
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
        Changed?.Invoke();
    }

    private List<Entry> TakeAll()
    {
        lock (_lock)
        {
            List<Entry> all = [.. _entries.Values];
            _entries.Clear();
            return all;
        }
    }

    private List<(string Digest, LoadedEngine Engine)> Loaded()
    {
        lock (_lock)
            return [.. _entries.Values.Where(entry => entry.Loading.IsCompletedSuccessfully).Select(entry => (entry.Digest, entry.Loading.Result))];
    }

    private sealed class Entry(string digest, Task<LoadedEngine> loading)
    {
        public string Digest { get; } = digest;

        public Task<LoadedEngine> Loading { get; } = loading;

        public int Uses { get; set; }

        public long UsedAt { get; set; }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Loaded {Digest} in {Milliseconds:0} ms")]
    private partial void LogLoaded(string digest, double milliseconds);

    [LoggerMessage(Level = LogLevel.Information, Message = "Unloaded {Digest}")]
    private partial void LogUnloaded(string digest);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Digest} never came into memory")]
    private partial void LogNeverLoaded(Exception exception, string digest);
}

/// <summary>A job's hold on an engine; the engine stays until it is disposed.</summary>
internal sealed class ModelUse(IInferenceEngine engine, Action release) : IDisposable
{
    private Action? _release = release;

    public IInferenceEngine Engine { get; } = engine;

    public void Dispose() => Interlocked.Exchange(ref _release, null)?.Invoke();
}
