using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OllamaMax.GpuWorker.Health;
using OllamaMax.GpuWorker.Models;
using OllamaMax.GpuWorker.Processes;
using OllamaMax.GpuWorker.Tests.Models;
using OllamaMax.Inference;
using OllamaMax.Inference.Devices;
using OllamaMax.Inference.Tests.Batching;
using OllamaMax.Jobs;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Models;

namespace OllamaMax.GpuWorker.Tests.Health;

/// <summary>Decoders that stand still, in the watch's own time: a look is a second.</summary>
[Collection(nameof(ModelProcesses))]
public sealed class DecoderWatchTests : IAsyncDisposable
{
    private const int HangSeconds = 30;

    private static readonly string Digest = "sha256:" + new string('0', 64);

    private readonly TempFolder _folder = new();
    private ServiceProvider? _services;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private DecoderWatch Watch => _services!.GetRequiredService<DecoderWatch>();

    private ModelHost Host => _services!.GetRequiredService<ModelHost>();

    public async ValueTask DisposeAsync()
    {
        if (_services is not null)
            await _services.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Look_StepsStandStillInThisProcess_NothingIsTakenForTheModelUntilItGoesOn()
    {
        IdleEngine engine = Start(new IdleEngine());
        using ModelUse use = await Host.UseAsync(Digest, null, Cancellation);
        int changes = 0;
        Watch.Changed += () => changes++;

        Look(HangSeconds);
        Watch.Hangs(Digest).ShouldBeFalse();
        Look(2);

        Watch.Hangs(Digest).ShouldBeTrue();
        changes.ShouldBe(1);
        engine.Steps++;
        Look(1);
        Watch.Hangs(Digest).ShouldBeFalse();
        changes.ShouldBe(2);
    }

    [Fact]
    public async Task Look_StepNowAndThen_IsNoHang()
    {
        // As a long prompt on a slow machine.
        IdleEngine engine = Start(new IdleEngine());
        using ModelUse use = await Host.UseAsync(Digest, null, Cancellation);

        for (int step = 0; step < 10; step++)
        {
            Look(HangSeconds - 1);
            Watch.Hangs(Digest).ShouldBeFalse();
            engine.Steps++;
        }
    }

    [Fact]
    public async Task Look_NobodyUsesTheModel_IsNoHang()
    {
        Start(new IdleEngine());
        (await Host.UseAsync(Digest, null, Cancellation)).Dispose();

        Look(HangSeconds * 2);
        using ModelUse use = await Host.UseAsync(Digest, null, Cancellation);
        Look(HangSeconds);

        Watch.Hangs(Digest).ShouldBeFalse();
    }

    [Fact]
    public async Task Look_ServerBesideUs_MayThinkForAsLongAsItLikes()
    {
        Start(new IdleEngine { IsContinuable = false });
        using ModelUse use = await Host.UseAsync(Digest, null, Cancellation);

        Look(HangSeconds * 10);

        Watch.Hangs(Digest).ShouldBeFalse();
    }

    [Fact]
    public async Task Look_ModelsProcessIsStopped_IsKilledItsJobsFailAndTheNextLoadsItAnew()
    {
        Start(engine: null);
        using ModelUse use = await Host.UseAsync(Digest, null, Cancellation);
        var process = (ProcessEngine)use.Engine;
        CollectingSink sink = new();
        Task<AttemptEnd> job = process.RunAsync(Request(tokens: 100_000), sink, Cancellation).AsTask();
        await sink.WaitForAsync(2);

        await StopAsync(process.Pid);
        int looks = await LookUntilAsync(job);

        looks.ShouldBeGreaterThan(HangSeconds);
        AttemptEnd end = await job;
        end.Reason.ShouldBe(EndReason.Failed);
        end.Error.ShouldBe("the model's decoder stood still for 30 s, and its process was killed");
        await process.Broken.WaitAsync(Cancellation);
        using ModelUse fresh = await NextAsync(process);
        (await fresh.Engine.RunAsync(Request(tokens: 4), new CollectingSink(), Cancellation)).Reason.ShouldBe(EndReason.Length);
        Watch.Hangs(Digest).ShouldBeFalse();
    }

    private void Look(int times)
    {
        for (int i = 0; i < times; i++)
            Watch.Look();
    }

    /// <summary>What the process said before it was stopped may still be on its way, so the number of looks is not known beforehand.</summary>
    private async Task<int> LookUntilAsync(Task ended)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(2));
        int looks = 0;
        for (; !ended.IsCompleted; looks++)
        {
            Watch.Look();
            await timer.WaitForNextTickAsync(Cancellation);
        }
        return looks;
    }

    /// <summary>The host hears of the broken engine by a task of its own.</summary>
    private async Task<ModelUse> NextAsync(ProcessEngine broken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(2));
        while (true)
        {
            ModelUse use = await Host.UseAsync(Digest, null, Cancellation);
            if (use.Engine != broken)
                return use;
            use.Dispose();
            await timer.WaitForNextTickAsync(Cancellation);
        }
    }

    private static EngineRequest Request(int tokens) => new()
    {
        Prompt = "hello",
        Options = new InferenceOptions { Temperature = 0, NumPredict = tokens },
        Seed = 1,
    };

    private static async Task StopAsync(int pid)
    {
        using Process kill = Process.Start("kill", ["-STOP", pid.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync(Cancellation);
    }

    /// <param name="engine">Null: a process with a real model.</param>
    private IdleEngine Start(IdleEngine? engine)
    {
        GgufGenerator.Write(ReplicaFiles.PathOf(_folder.Path, Digest), new GgufSpec { NeverEnds = true, Context = 1 << 17 });
        ReplicaFiles.List(_folder.Path, Digest);
        var services = new ServiceCollection().AddLogging(logging => logging.ClearProviders());
        if (engine is not null)
            services.AddSingleton<IEngineLoader>(new OneEngine(engine));
        services.AddWorker(new WorkerOptions
        {
            Edge = new Uri("http://127.0.0.1:1/"),
            Data = _folder.File("data"),
            Replicas = _folder.Path,
            Name = "test",
            Threads = 1,
            ContextLength = 1 << 17,
            Slots = 1,
            HangTimeout = TimeSpan.FromSeconds(HangSeconds),
        });
        _services = services.BuildServiceProvider();
        return engine!;
    }

    private sealed class OneEngine(IdleEngine engine) : IEngineLoader
    {
        public MemoryNeed Measure(string path, IReadOnlyList<InferenceDevice> gpus) => new(Weights: 1, Cache: 0);

        public Task<IReadOnlyList<InferenceDevice>> DevicesAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<InferenceDevice>>([]);

        public Task<LoadedEngine> LoadAsync(string path, long memory, IProgress<float> progress, CancellationToken cancellationToken) =>
            Task.FromResult(new LoadedEngine(engine, TimeSpan.Zero, 4096));
    }
}
