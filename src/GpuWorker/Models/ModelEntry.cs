using OllamaMax.GpuWorker.Health;
using OllamaMax.Inference;
using OllamaMax.Workers;

namespace OllamaMax.GpuWorker.Models;

/// <summary>A model that is in memory, on its way there, or on its way out. The host's lock guards all of it.</summary>
internal sealed class ModelEntry(string digest, TimeSpan keepAlive) : IProgress<float>
{
    private int _percent;

    public string Digest { get; } = digest;

    /// <summary>Ends with the engine; fails as loading does.</summary>
    public Task<LoadedEngine> Loading { get; set; } = null!;

    /// <summary>Cancelled when nobody waits for it any more: it is of no use then to wait for room.</summary>
    public CancellationTokenSource Abandoned { get; } = new();

    /// <summary>Null before it is loaded.</summary>
    public LoadedEngine? Engine { get; set; }

    /// <summary>Its weights on disk, which stay for as long as the model does; null before they are there.</summary>
    public Replica? Replica { get; set; }

    public MemoryNeed? Need { get; set; }

    /// <summary>Bytes that are set aside for it; 0 while it waits for room.</summary>
    public long Reserved { get; set; }

    /// <summary>Of the GPUs' memory, what it takes; 0 before it is loaded.</summary>
    public long VramBytes => Engine?.VramBytes ?? 0;

    public bool HasRoom { get; set; }

    public int Uses { get; set; }

    public long UsedAt { get; set; }

    /// <summary>How long it stays unused; negative: for good.</summary>
    public TimeSpan KeepAlive { get; set; } = keepAlive;

    /// <summary>A policy wants it here: it goes only where a request needs its room and nothing else can make way.</summary>
    public bool IsWarm { get; set; }

    /// <summary>When it goes unless it is used again; null: it is in use, or stays.</summary>
    public DateTimeOffset? ExpiresAt { get; set; }

    public ITimer? Expiry { get; set; }

    /// <summary>
    /// Set when it is to go, as soon as nobody uses it; ends when it is gone, or stays after all. Who wants the model in the meantime waits
    /// for that: or one model in constant use would keep all others out.
    /// </summary>
    public TaskCompletionSource? Leaving { get; private set; }

    /// <summary>How much of it is read.</summary>
    public int Percent => Volatile.Read(ref _percent);

    public void BeginLeaving() => Leaving ??= new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Its room is not needed any more; one that nobody uses is gone already.</summary>
    public void StayAfterAll()
    {
        if (Uses == 0 || Leaving is not { } leaving)
            return;
        Leaving = null;
        leaving.SetResult();
    }

    public void StopExpiry()
    {
        Expiry?.Dispose();
        Expiry = null;
        ExpiresAt = null;
    }

    /// <summary>As it is to stand in the worker's report.</summary>
    public HeldModel Describe(DateTimeOffset now, ModelMeters meters) => Engine is null
        ? new HeldModel(Digest, Loaded: false) { LoadingPercent = Percent }
        : new HeldModel(Digest, Loaded: true, Engine.ContextPerSlot, Reserved)
        {
            ExpiresIn = KeepAlive < TimeSpan.Zero || IsWarm ? null : Math.Round(((ExpiresAt - now) ?? KeepAlive).TotalSeconds, 1),
            VramBytes = VramBytes > 0 ? VramBytes : null,
            TokensPerSecond = meters.LastOf(Digest)?.Together,
            JobTokensPerSecond = meters.LastOf(Digest)?.Job,
        };

    public void Report(float value) => Volatile.Write(ref _percent, (int)(Math.Clamp(value, 0, 1) * 100));
}
