using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OllamaMax.GpuWorker.Health;
using OllamaMax.GpuWorker.Models;
using OllamaMax.Inference;
using OllamaMax.Inference.Devices;
using OllamaMax.Inference.Native;
using OllamaMax.TestKit;
using OllamaMax.Workers;

namespace OllamaMax.GpuWorker.Tests.Models;

/// <summary>Which models are in memory, and when; the engines take no memory here, only say so.</summary>
public sealed class ModelHostTests : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private readonly WatchedTimeProvider _time = new();
    private readonly CountingLoader _loader = new();
    private readonly LineLog _log = new();
    private ServiceProvider? _services;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        if (_services is not null)
            await _services.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Release_KeepAliveOver_TheModelLeaves()
    {
        ModelHost host = Host(models: 1);
        (await host.UseAsync(Digest(0), TimeSpan.FromSeconds(30), Cancellation)).Dispose();
        Held(host, 0).ExpiresIn.ShouldBe(30);

        _time.Advance(TimeSpan.FromSeconds(29));
        Held(host, 0).Loaded.ShouldBeTrue();
        Task gone = UntilAsync(host, () => !Held(host, 0).Loaded);
        _time.Advance(TimeSpan.FromSeconds(1));

        await gone;
        _loader.Engines.Single().IsDisposed.ShouldBeTrue();
    }

    [Fact]
    public async Task Use_BeforeTheKeepAliveIsOver_StartsItAnew()
    {
        ModelHost host = Host(models: 1);
        (await host.UseAsync(Digest(0), TimeSpan.FromSeconds(30), Cancellation)).Dispose();
        _time.Advance(TimeSpan.FromSeconds(20));

        ModelUse use = await host.UseAsync(Digest(0), null, Cancellation);
        _time.Advance(TimeSpan.FromSeconds(100));
        use.Dispose();
        _time.Advance(TimeSpan.FromSeconds(29));

        Held(host, 0).Loaded.ShouldBeTrue();
        Held(host, 0).ExpiresIn.ShouldBe(1);
        _loader.Engines.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Release_KeepAliveZero_LeavesAtOnce()
    {
        ModelHost host = Host(models: 1);
        ModelUse use = await host.UseAsync(Digest(0), TimeSpan.Zero, Cancellation);
        Held(host, 0).Loaded.ShouldBeTrue();
        Task gone = UntilAsync(host, () => !Held(host, 0).Loaded);

        use.Dispose();

        await gone;
    }

    [Fact]
    public async Task Release_KeepAliveForGood_Stays()
    {
        ModelHost host = Host(models: 1);
        (await host.UseAsync(Digest(0), Timeout.InfiniteTimeSpan, Cancellation)).Dispose();
        (await host.UseAsync(Digest(0), null, Cancellation)).Dispose();

        _time.Advance(TimeSpan.FromDays(1000));

        Held(host, 0).Loaded.ShouldBeTrue();
        Held(host, 0).ExpiresIn.ShouldBeNull();
    }

    [Theory]
    [InlineData(30, 10, 30)]
    [InlineData(30, 0, 30)]
    [InlineData(30, 60, 60)]
    [InlineData(30, -1, null)]
    [InlineData(-1, 60, null)]
    public async Task Use_KeepAliveThatOnlyLengthens_LeavesALongerOneAsItIs(int before, int asked, int? seconds)
    {
        ModelHost host = Host(models: 1);
        (await host.UseAsync(Digest(0), KeepAlive(before), Cancellation)).Dispose();

        (await host.UseAsync(Digest(0), KeepAlive(asked), onlyLengthens: true, Cancellation)).Dispose();

        Held(host, 0).ExpiresIn.ShouldBe(seconds);

        static TimeSpan KeepAlive(int seconds) => seconds < 0 ? Timeout.InfiniteTimeSpan : TimeSpan.FromSeconds(seconds);
    }

    /// <summary>The worker's own default is nobody's wish.</summary>
    [Fact]
    public async Task Use_KeepAliveThatOnlyLengthens_OfWhatNobodyHasBrought_Holds()
    {
        ModelHost host = Host(models: 1);

        (await host.UseAsync(Digest(0), TimeSpan.FromSeconds(10), onlyLengthens: true, Cancellation)).Dispose();

        Held(host, 0).ExpiresIn.ShouldBe(10);
    }

    [Fact]
    public async Task Use_NoRoom_TheLongestUnusedMakesWay()
    {
        ModelHost host = Host(models: 3, memory: 200);
        (await host.UseAsync(Digest(0), null, Cancellation)).Dispose();
        _time.Advance(TimeSpan.FromSeconds(1));
        (await host.UseAsync(Digest(1), null, Cancellation)).Dispose();
        _time.Advance(TimeSpan.FromSeconds(1));
        (await host.UseAsync(Digest(0), null, Cancellation)).Dispose();

        (await host.UseAsync(Digest(2), null, Cancellation)).Dispose();

        Loaded(host).ShouldBe([0, 2]);
    }

    [Fact]
    public async Task Use_NoRoomAndAllInUse_WaitsForTheOneThatEnds()
    {
        ModelHost host = Host(models: 2, memory: 100);
        ModelUse first = await host.UseAsync(Digest(0), null, Cancellation);

        Task<ModelUse> second = host.UseAsync(Digest(1), null, Cancellation);
        await WaitsForRoomAsync();
        // Who comes for the first one now must not keep the second out for ever.
        Task<ModelUse> again = host.UseAsync(Digest(0), null, Cancellation);
        _loader.Engines.Single().IsDisposed.ShouldBeFalse();
        first.Dispose();
        ModelUse use = await second;

        _loader.Engines[0].IsDisposed.ShouldBeTrue();
        use.Dispose();
        (await again).Dispose();
        Loaded(host).ShouldBe([0]);
    }

    [Fact]
    public async Task Use_GivenUpWhileItWaitsForRoom_LetsTheOtherStay()
    {
        ModelHost host = Host(models: 2, memory: 100);
        ModelUse first = await host.UseAsync(Digest(0), null, Cancellation);
        using var leaving = new CancellationTokenSource();
        Task<ModelUse> second = host.UseAsync(Digest(1), null, leaving.Token);
        await WaitsForRoomAsync();

        await leaving.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(second);
        await UntilAsync(host, () => Held(host, 1).LoadingPercent is null);
        (await host.UseAsync(Digest(0), null, Cancellation)).Dispose();
        first.Dispose();
        Loaded(host).ShouldBe([0]);
        _loader.Engines.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Use_ModelThatNeverFits_FailsClearly()
    {
        ModelHost host = Host(models: 1, memory: 10);

        ModelLoadException failure = await Should.ThrowAsync<ModelLoadException>(() => host.UseAsync(Digest(0), null, Cancellation));

        failure.Message.ShouldStartWith("the model needs");
    }

    [Fact]
    public async Task Use_MoreRoomThanNeeded_MayTakeAllThatIsFree()
    {
        ModelHost host = Host(models: 2, memory: 1000);
        _loader.Taken = 700;
        (await host.UseAsync(Digest(0), null, Cancellation)).Dispose();

        _loader.Taken = 0;
        (await host.UseAsync(Digest(1), null, Cancellation)).Dispose();

        // The second has what the first has left, and makes nobody leave for more.
        _loader.Rooms.ShouldBe([1000, 300]);
        Held(host, 0).Bytes.ShouldBe(700);
        Held(host, 1).Bytes.ShouldBe(100);
        Loaded(host).ShouldBe([0, 1]);
    }

    [Fact]
    public async Task Use_NoRoomForTheWholeContext_LoadsWithAllThereIs()
    {
        ModelHost host = Host(models: 2, memory: 90);
        _loader.Least = 80;
        (await host.UseAsync(Digest(0), null, Cancellation)).Dispose();

        (await host.UseAsync(Digest(1), null, Cancellation)).Dispose();

        _loader.Rooms.ShouldBe([90, 90]);
        Loaded(host).ShouldBe([1]);
    }

    [Fact]
    public async Task Held_PartlyOnAGpu_SaysHowMuch()
    {
        ModelHost host = Host(models: 1);
        (_loader.Taken, _loader.Vram) = (90, 60);

        (await host.UseAsync(Digest(0), null, Cancellation)).Dispose();

        Held(host, 0).VramBytes.ShouldBe(60);
        host.Slots.ShouldBe(1);
    }

    [Fact]
    public async Task Use_AnIdleOneHasTheGpus_ItMakesWay()
    {
        ModelHost host = await HostWithGpuAsync(models: 3);
        (await host.UseAsync(Digest(0), null, Cancellation)).Dispose();
        _time.Advance(TimeSpan.FromSeconds(1));
        (await host.UseAsync(Digest(1), null, Cancellation)).Dispose();

        (await host.UseAsync(Digest(2), null, Cancellation)).Dispose();

        Loaded(host).ShouldBe([1, 2], "there is memory for all, but the GPU has place for two");
    }

    [Fact]
    public async Task Use_TheGpusAreInUse_ItIsLoadedBesideThem()
    {
        ModelHost host = await HostWithGpuAsync(models: 3);
        using ModelUse first = await host.UseAsync(Digest(0), null, Cancellation);
        using ModelUse second = await host.UseAsync(Digest(1), null, Cancellation);

        _loader.Vram = 0;
        (await host.UseAsync(Digest(2), null, Cancellation)).Dispose();

        Loaded(host).ShouldBe([0, 1, 2]);
    }

    [Fact]
    public async Task KeepWarm_TheGpusWereUsedShortlyBefore_WaitsUntilTheOthersRest()
    {
        ModelHost host = await HostWithGpuAsync(models: 3);
        WarmModels warm = _services!.GetRequiredService<WarmModels>();
        HashSet<string> wanted = [Digest(2)];
        (await host.UseAsync(Digest(0), Timeout.InfiniteTimeSpan, Cancellation)).Dispose();
        (await host.UseAsync(Digest(1), Timeout.InfiniteTimeSpan, Cancellation)).Dispose();

        await warm.KeepAsync(wanted, Cancellation);
        Loaded(host).ShouldBe([0, 1]);
        _time.Advance(TimeSpan.FromMinutes(1));
        await warm.KeepAsync(wanted, Cancellation);
        Loaded(host).ShouldBe([1, 2]);

        // Nor is the one that is to stay put off for a request that can be run on the CPU.
        await warm.KeepAsync(new HashSet<string> { Digest(1), Digest(2) }, Cancellation);
        _loader.Vram = 0;
        (await host.UseAsync(Digest(0), null, Cancellation)).Dispose();
        Loaded(host).ShouldBe([0, 1, 2]);
    }

    [Fact]
    public async Task Use_LoadFailsAgainAndAgain_IsTriedLessAndLessOften()
    {
        ModelHost host = Host(models: 1);
        _loader.Failure = new ModelLoadException("it is broken");
        await Should.ThrowAsync<ModelLoadException>(() => host.UseAsync(Digest(0), null, Cancellation));

        ModelLoadException soon = await Should.ThrowAsync<ModelLoadException>(() => host.UseAsync(Digest(0), null, Cancellation));
        soon.Message.ShouldBe("it is broken; not tried again for 0.3 s");
        _loader.Tries.ShouldBe(1);
        _time.Advance(TimeSpan.FromSeconds(0.3));
        await Should.ThrowAsync<ModelLoadException>(() => host.UseAsync(Digest(0), null, Cancellation));
        _time.Advance(TimeSpan.FromSeconds(0.3));
        await Should.ThrowAsync<ModelLoadException>(() => host.UseAsync(Digest(0), null, Cancellation));

        _loader.Tries.ShouldBe(2);
        _loader.Failure = null;
        _time.Advance(TimeSpan.FromSeconds(0.3));
        (await host.UseAsync(Digest(0), null, Cancellation)).Dispose();
    }

    [Fact]
    public async Task Use_EngineHasBroken_LoadsANewOne()
    {
        ModelHost host = Host(models: 1);
        ModelUse use = await host.UseAsync(Digest(0), null, Cancellation);
        Task gone = UntilAsync(host, () => !Held(host, 0).Loaded);

        _loader.Engines[0].Break();

        await gone;
        using ModelUse fresh = await host.UseAsync(Digest(0), null, Cancellation);
        fresh.Engine.ShouldBe(_loader.Engines[1]);
        use.Dispose();
        Held(host, 0).Loaded.ShouldBeTrue();
    }

    [Fact]
    public async Task Unload_InUse_LeavesWhenTheUseEnds()
    {
        ModelHost host = Host(models: 1);
        ModelUse use = await host.UseAsync(Digest(0), Timeout.InfiniteTimeSpan, Cancellation);

        host.Unload(Digest(0));

        Held(host, 0).Loaded.ShouldBeTrue();
        Task gone = UntilAsync(host, () => !Held(host, 0).Loaded);
        use.Dispose();
        await gone;
    }

    [Fact]
    public async Task Use_WhileItLoads_ShowsHowFarItIs()
    {
        ModelHost host = Host(models: 1);
        var gate = new TaskCompletionSource();
        _loader.Gate = gate.Task;

        Task<ModelUse> use = host.UseAsync(Digest(0), null, Cancellation);
        await _loader.Begun.WaitAsync(Cancellation);

        Held(host, 0).LoadingPercent.ShouldBe(40);
        gate.SetResult();
        (await use).Dispose();
        Held(host, 0).LoadingPercent.ShouldBeNull();
    }

    [Fact]
    public async Task KeepWarm_Model_StaysAndGoesLastAndLeavesWhenItIsNotWantedAnyMore()
    {
        ModelHost host = Host(models: 3, memory: 200);
        WarmModels warm = _services!.GetRequiredService<WarmModels>();

        await warm.KeepAsync(new HashSet<string> { Digest(0), "sha256:nowhere" }, Cancellation);
        _time.Advance(TimeSpan.FromDays(2));
        host.Unload(Digest(0));
        (await host.UseAsync(Digest(0), TimeSpan.Zero, Cancellation)).Dispose();
        (Held(host, 0).Loaded, Held(host, 0).Warm, Held(host, 0).ExpiresIn).ShouldBe((true, true, null));

        (await host.UseAsync(Digest(1), null, Cancellation)).Dispose();
        (await host.UseAsync(Digest(2), null, Cancellation)).Dispose();
        Loaded(host).ShouldBe([0, 2], "the other one is newer, and goes");

        await warm.KeepAsync(new HashSet<string>(), Cancellation);
        await UntilAsync(host, () => !Held(host, 0).Loaded);
        Held(host, 0).Warm.ShouldBeNull();
    }

    [Fact]
    public async Task KeepWarm_RoomIsTaken_WaitsUntilTheOthersRest()
    {
        ModelHost host = Host(models: 2, memory: 100);
        WarmModels warm = _services!.GetRequiredService<WarmModels>();
        HashSet<string> wanted = [Digest(1)];
        ModelUse use = await host.UseAsync(Digest(0), Timeout.InfiniteTimeSpan, Cancellation);

        await warm.KeepAsync(wanted, Cancellation);
        use.Dispose();
        await warm.KeepAsync(wanted, Cancellation);
        (Held(host, 1).Loaded, Held(host, 1).Warm).ShouldBe((false, true));
        _time.Advance(TimeSpan.FromMinutes(1));
        await warm.KeepAsync(wanted, Cancellation);

        Loaded(host).ShouldBe([1]);
        // Nor does another that is to be warm put it out.
        await warm.KeepAsync(new HashSet<string> { Digest(0), Digest(1) }, Cancellation);
        Loaded(host).ShouldBe([1]);
    }

    private static string Digest(int model) => "sha256:" + model.ToString("x64", CultureInfo.InvariantCulture);

    private static HeldModel Held(ModelHost host, int model) => host.Held().Single(held => held.Digest == Digest(model));

    private static int[] Loaded(ModelHost host) => [.. Enumerable.Range(0, host.Held().Count).Where(model => Held(host, model).Loaded)];

    private async Task WaitsForRoomAsync() => await _log.WaitForAsync(line => line.Contains("waits for room", StringComparison.Ordinal), Cancellation);

    private static async Task UntilAsync(ModelHost host, Func<bool> isSo)
    {
        var so = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        host.Changed += Look;
        Look();
        await so.Task.WaitAsync(Cancellation);
        host.Changed -= Look;

        void Look()
        {
            if (isSo())
                so.TrySetResult();
        }
    }

    /// <summary>With a GPU that holds two models.</summary>
    private async Task<ModelHost> HostWithGpuAsync(int models)
    {
        ModelHost host = Host(models);
        _loader.Devices = [new("GPU0", "CUDA", "a card", DeviceKind.Gpu, 250, 0), new("CPU", "CPU", "the machine", DeviceKind.Cpu, 1000, 1000)];
        _loader.Vram = 100;
        await _services!.GetRequiredService<MachineDevices>().RefreshAsync(Cancellation);
        return host;
    }

    /// <summary>Every model needs 100 bytes.</summary>
    private ModelHost Host(int models, long memory = 1000)
    {
        for (int i = 0; i < models; i++)
        {
            File.WriteAllBytes(ReplicaFiles.PathOf(_folder.Path, Digest(i)), []);
            ReplicaFiles.List(_folder.Path, Digest(i));
        }
        _services = new ServiceCollection()
            .AddLogging(logging => logging.ClearProviders().AddProvider(new LineLogging(_log)))
            .AddSingleton<TimeProvider>(_time)
            .AddSingleton<IEngineLoader>(_loader)
            .AddWorker(new WorkerOptions { Edge = new Uri("http://127.0.0.1:1/"), Data = _folder.File("data"), Replicas = _folder.Path, Name = "test", Memory = memory })
            .BuildServiceProvider();
        return _services.GetRequiredService<ModelHost>();
    }

    private sealed class CountingLoader : IEngineLoader
    {
        private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public List<IdleEngine> Engines { get; } = [];

        public int Tries { get; private set; }

        public long Least { get; set; } = 100;

        /// <summary>Bytes that an engine says it has taken.</summary>
        public long Taken { get; set; }

        public long Vram { get; set; }

        public IReadOnlyList<InferenceDevice> Devices { get; set; } = [];

        /// <summary>Bytes that each might have taken.</summary>
        public List<long> Rooms { get; } = [];

        public Exception? Failure { get; set; }

        public Task Gate { get; set; } = Task.CompletedTask;

        public Task Begun => _begun.Task;

        /// <summary>On GPUs where there are any.</summary>
        public MemoryNeed Measure(string path, IReadOnlyList<InferenceDevice> gpus) => new(Weights: 60, Cache: 40) { Least = Least, Vram = gpus.Count > 0 ? 100 : 0 };

        public Task<IReadOnlyList<InferenceDevice>> DevicesAsync(CancellationToken cancellationToken) => Task.FromResult(Devices);

        public async Task<LoadedEngine> LoadAsync(string path, long memory, IProgress<float> progress, CancellationToken cancellationToken)
        {
            Tries++;
            progress.Report(0.4f);
            _begun.TrySetResult();
            await Gate;
            if (Failure is not null)
                throw Failure;
            var engine = new IdleEngine();
            Engines.Add(engine);
            Rooms.Add(memory);
            return new LoadedEngine(engine, TimeSpan.Zero, 4096) { MemoryBytes = Taken, VramBytes = Vram };
        }
    }
}
