using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OllamaMax.GpuWorker.Models;
using OllamaMax.GpuWorker.Processes;
using OllamaMax.Jobs;

namespace OllamaMax.GpuWorker.Health;

/// <summary>
/// Looks at the engines that have jobs: one whose steps stand still for too long hangs, and keeps the slots of its jobs although their owners have
/// gone elsewhere. A model's process is killed then; its jobs fail, and who asks for the model next loads it anew. An engine in this process cannot
/// be ended: the worker takes nothing more for its model while it hangs, and says so in its heartbeat.
/// </summary>
internal sealed partial class DecoderWatch(ModelHost models, IOptions<WorkerOptions> options, TimeProvider time, ILogger<DecoderWatch> logger)
{
    public static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private readonly Dictionary<IInferenceEngine, StallWatch> _watches = [];
    private readonly ConcurrentDictionary<string, IInferenceEngine> _hanging = [];
    private TimeSpan _watched;

    /// <summary>A model in this process has begun to hang, or goes on. Called on any thread.</summary>
    public event Action? Changed;

    /// <summary>Whether nothing is to be taken for the model.</summary>
    public bool Hangs(string digest) => _hanging.ContainsKey(digest);

    public async Task RunAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(LookEvery, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stopping))
                Look();
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
        }
    }

    /// <summary>One look at all engines; <see cref="RunAsync"/> does nothing else.</summary>
    public void Look()
    {
        // Counted in looks, not by the clock: when this process itself stood still, its engines' steps have only not been read.
        _watched += LookEvery;
        IReadOnlyList<(string Digest, IInferenceEngine Engine)> busy = models.InUse();
        foreach (IInferenceEngine idle in _watches.Keys.Except(busy.Select(use => use.Engine)).ToList())
            _watches.Remove(idle);
        foreach (var (digest, engine) in _hanging)
        {
            if (!_watches.ContainsKey(engine))
                GoesOn(digest);
        }
        // A server beside us may think for as long as it likes before it says something.
        foreach (var (digest, engine) in busy.Where(use => use.Engine.IsContinuable))
            Look(digest, engine);
    }

    private void Look(string digest, IInferenceEngine engine)
    {
        if (!_watches.TryGetValue(engine, out StallWatch? watch))
            _watches.Add(engine, watch = new StallWatch(options.Value.HangTimeout));
        if (!watch.Hangs(engine.Steps, _watched))
            GoesOn(digest);
        else if (engine is ProcessEngine process)
            process.Kill($"the model's decoder stood still for {options.Value.HangTimeout.TotalSeconds:0.#} s, and its process was killed");
        else if (_hanging.TryAdd(digest, engine))
            Hung(digest);
    }

    private void Hung(string digest)
    {
        LogHangs(digest, options.Value.HangTimeout.TotalSeconds);
        Changed?.Invoke();
    }

    private void GoesOn(string digest)
    {
        if (!_hanging.TryRemove(digest, out _))
            return;
        LogGoesOn(digest);
        Changed?.Invoke();
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The decoder of {Digest} has stood still for {Seconds} s and cannot be ended but with this worker: nothing more is taken for the model")]
    private partial void LogHangs(string digest, double seconds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The decoder of {Digest} goes on")]
    private partial void LogGoesOn(string digest);
}
