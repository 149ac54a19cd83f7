using Microsoft.Extensions.Logging.Abstractions;
using OllamaMax.GpuWorker.Models;
using OllamaMax.Inference;
using OllamaMax.Inference.Devices;
using OllamaMax.Inference.Native;
using OllamaMax.Inference.Tests.Batching;
using OllamaMax.Inference.Tests.Embedding;
using OllamaMax.Jobs;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Models;

namespace OllamaMax.GpuWorker.Tests.Engines;

/// <summary>What every engine above llama.cpp promises, wherever its model is.</summary>
public abstract class EngineContract : AnyEngineContract, IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly string _model;

    protected EngineContract()
    {
        _model = _folder.File("tiny.gguf");
        GgufGenerator.Write(_model, new GgufSpec());
    }

    protected string Model => _model;

    public void Dispose()
    {
        _folder.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task LoadAsync_Model_SaysWhatItIs()
    {
        await using LoadedEngine loaded = await LoadAsync();

        loaded.Engine.Slots.ShouldBe(4);
        loaded.Engine.IsContinuable.ShouldBeTrue();
        loaded.Engine.Broken.IsCompleted.ShouldBeFalse();
        loaded.ContextPerSlot.ShouldBe(512);
        loaded.LoadDuration.ShouldBeGreaterThan(TimeSpan.Zero);
    }

    [Fact]
    public async Task LoadAsync_Model_ReportsProgressToTheEnd()
    {
        var progress = new LastProgress();

        await using LoadedEngine loaded = await LoadAsync(progress: progress);

        progress.Last.ShouldBe(1);
    }

    [Fact]
    public async Task LoadAsync_NoSuchFile_NamesIt()
    {
        string path = _folder.File("none.gguf");

        ModelLoadException failure = await Should.ThrowAsync<ModelLoadException>(() => LoadAsync(path));

        failure.Message.ShouldContain(path);
    }

    [Fact]
    public async Task LoadAsync_TruncatedFile_SaysWhy()
    {
        string path = _folder.File("cut.gguf");
        byte[] whole = await File.ReadAllBytesAsync(_model, Cancellation);
        await File.WriteAllBytesAsync(path, whole[..(whole.Length / 2)], Cancellation);

        ModelLoadException failure = await Should.ThrowAsync<ModelLoadException>(() => LoadAsync(path));

        failure.Message.ShouldContain(path);
        failure.Message.ShouldNotContain("\n");
    }

    [Fact]
    public async Task LoadAsync_Cancelled_Throws() =>
        await Should.ThrowAsync<OperationCanceledException>(() => LoadAsync(cancellationToken: new CancellationToken(canceled: true)));

    [Fact]
    public async Task DevicesAsync_Here_HaveTheProcessor()
    {
        IReadOnlyList<InferenceDevice> devices = await Loader(Options()).DevicesAsync(Cancellation);

        InferenceDevice cpu = devices.First(device => device.Kind == DeviceKind.Cpu);
        cpu.Backend.ShouldBe("CPU");
        cpu.TotalBytes.ShouldBeGreaterThan(1L << 28);
    }

    [Fact]
    public async Task RunAsync_Greedy_IsTheSameEachTime()
    {
        await using LoadedEngine loaded = await LoadAsync();

        var (end, first) = await RunAsync(loaded, Greedy("hello"));
        var (_, second) = await RunAsync(loaded, Greedy("hello"));

        end.Reason.ShouldBe(EndReason.Length);
        first.Tokens.Length.ShouldBe(24);
        first.Start.ShouldNotBeNull().PromptTokens.ShouldBeGreaterThan(0);
        second.Tokens.ShouldBe(first.Tokens);
        loaded.Engine.Steps.ShouldBeGreaterThanOrEqualTo(48);
    }

    [Fact]
    public async Task RunAsync_ResumedAnywhere_GoesOnAsIfUndisturbed()
    {
        await using LoadedEngine loaded = await LoadAsync();
        EngineRequest request = Greedy("hello") with
        {
            Options = new InferenceOptions { Temperature = 1.1f, NumPredict = 24, TopK = 50, LogitBias = new Dictionary<int, float> { [7] = 2 } },
        };
        var (_, whole) = await RunAsync(loaded, request);

        var (end, rest) = await RunAsync(loaded, request with { ResumeTokens = whole.Tokens[..10] });

        end.Reason.ShouldBe(EndReason.Length);
        rest.FirstIndex.ShouldBe(10);
        rest.Tokens.ShouldBe(whole.Tokens[10..]);
    }

    [Fact]
    public async Task RunAsync_PromptLongerThanTheContext_IsInvalid()
    {
        await using LoadedEngine loaded = await LoadAsync();

        var (end, sink) = await RunAsync(loaded, Greedy(new string('x', 5_000_000)));

        end.Reason.ShouldBe(EndReason.Invalid);
        end.Error.ShouldNotBeNull().ShouldContain("512");
        sink.Tokens.ShouldBeEmpty();
    }

    [Fact]
    public async Task RunAsync_OptionThatIsNoNumber_IsInvalidAndNamesIt()
    {
        await using LoadedEngine loaded = await LoadAsync();

        var (end, _) = await RunAsync(loaded, Greedy("hello") with { Options = new InferenceOptions { Temperature = float.NaN } });

        end.Reason.ShouldBe(EndReason.Invalid);
        end.Error.ShouldNotBeNull().ShouldStartWith("temperature");
    }

    [Fact]
    public async Task EmbedAsync_Texts_AreVectorsInTheirOrder()
    {
        await using LoadedEngine loaded = await LoadAsync();

        var (end, together) = await EmbedAsync(loaded, new EmbedRequest { Inputs = ["hello", "the quick brown fox", "caf\u00e9"] });
        var (_, alone) = await EmbedAsync(loaded, new EmbedRequest { Inputs = ["the quick brown fox"] });

        (end.Reason, end.Error).ShouldBe((EndReason.Stop, null));
        together.Vectors.Count.ShouldBe(3);
        together.Start.ShouldNotBeNull().PromptTokens.ShouldBe(together.Tokens.Sum());
        together.Vectors[1].Zip(alone.Vectors[0], (one, other) => Math.Abs(one - other)).Max().ShouldBeLessThan(1e-4f);
        together.Vectors[0].ShouldNotBe(together.Vectors[1]);
        loaded.Engine.Steps.ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task EmbedAsync_GoesOn_SkipsWhatIsThere()
    {
        await using LoadedEngine loaded = await LoadAsync();
        EmbedRequest request = new() { Inputs = ["one", "two", "three"] };
        var (_, whole) = await EmbedAsync(loaded, request);

        var (end, rest) = await EmbedAsync(loaded, request with { Skip = 2 });

        end.Reason.ShouldBe(EndReason.Stop);
        rest.FirstIndex.ShouldBe(2);
        rest.Vectors.Single().Zip(whole.Vectors[2], (one, other) => Math.Abs(one - other)).Max().ShouldBeLessThan(1e-4f);
    }

    [Fact]
    public async Task EmbedAsync_LongerThanTheContext_IsCutOrInvalid()
    {
        await using LoadedEngine loaded = await LoadAsync();
        EmbedRequest request = new() { Inputs = ["short", new string('x', 5000)] };

        var (cut, vectors) = await EmbedAsync(loaded, request with { Truncate = true });
        var (invalid, none) = await EmbedAsync(loaded, request with { Truncate = false });

        cut.Reason.ShouldBe(EndReason.Stop);
        vectors.Tokens[1].ShouldBe(512);
        invalid.Reason.ShouldBe(EndReason.Invalid);
        invalid.Error.ShouldNotBeNull().ShouldStartWith("input 1 has ");
        none.Vectors.ShouldBeEmpty();
    }

    [Fact]
    public async Task EmbedAsync_BesideAnAnswer_NeitherIsAnother()
    {
        await using LoadedEngine loaded = await LoadAsync();
        var (_, alone) = await RunAsync(loaded, Greedy("hello", 60));

        Task<(AttemptEnd, CollectingSink Sink)> answer = RunAsync(loaded, Greedy("hello", 60));
        var (end, vectors) = await EmbedAsync(loaded, new EmbedRequest { Inputs = [.. Enumerable.Range(0, 30).Select(i => $"text {i}")] });

        end.Reason.ShouldBe(EndReason.Stop);
        vectors.Vectors.Count.ShouldBe(30);
        (await answer).Sink.Tokens.ShouldBe(alone.Tokens);
    }

    [Fact]
    public async Task EmbedAsync_CancelledWhileRunning_Ends()
    {
        await using LoadedEngine loaded = await LoadAsync();
        using var cancel = new CancellationTokenSource();
        var sink = new VectorSink { OnVector = _ => cancel.Cancel() };

        AttemptEnd end = await loaded.Engine.EmbedAsync(
            new EmbedRequest { Inputs = [.. Enumerable.Range(0, 3000).Select(i => $"text {i}")] }, sink, cancel.Token);

        end.Reason.ShouldBe(EndReason.Cancelled);
        sink.Vectors.Count.ShouldBeLessThan(3000);
    }

    internal abstract IEngineLoader Loader(WorkerOptions options);

    internal override async Task<IInferenceEngine> StartAsync(int slots = 4) => (await LoadAsync(slots: slots)).Engine;

    internal override EngineRequest Request(string prompt, int tokens = 24) => Greedy(prompt, tokens);

    internal static EngineRequest Greedy(string prompt, int tokens = 24) => new()
    {
        Prompt = prompt,
        Seed = 7,
        Options = new InferenceOptions { Temperature = 0, NumPredict = tokens },
    };

    internal static Task<(AttemptEnd End, CollectingSink Sink)> RunAsync(LoadedEngine loaded, EngineRequest request) => RunAsync(loaded.Engine, request);

    private static async Task<(AttemptEnd End, VectorSink Sink)> EmbedAsync(LoadedEngine loaded, EmbedRequest request)
    {
        VectorSink sink = new();
        AttemptEnd end = await loaded.Engine.EmbedAsync(request, sink, Cancellation);
        return (end, sink);
    }

    internal Task<LoadedEngine> LoadAsync(
        string? path = null, int slots = 4, IProgress<float>? progress = null, CancellationToken? cancellationToken = null) =>
        Loader(Options(slots)).LoadAsync(path ?? _model, long.MaxValue, progress ?? new LastProgress(), cancellationToken ?? Cancellation);

    /// <remarks>Without guesses: how many there are depends on what steps take, and steps are counted.</remarks>
    private WorkerOptions Options(int slots = 4) => new()
    {
        DraftTokens = 0,
        Edge = new Uri("http://127.0.0.1:1/"),
        Data = _folder.Path,
        Name = "test",
        Slots = slots,
        Threads = 1,
        ContextLength = 512,
        Exact = true,
    };

    private sealed class LastProgress : IProgress<float>
    {
        private float _last;

        public float Last => Volatile.Read(ref _last);

        public void Report(float value) => Volatile.Write(ref _last, value);
    }
}

/// <summary>The batching engine in this process.</summary>
public sealed class BatchingEngineTests : EngineContract
{
    internal override IEngineLoader Loader(WorkerOptions options) =>
        new LlamaEngineLoader(Microsoft.Extensions.Options.Options.Create(options), NullLoggerFactory.Instance, TimeProvider.System);
}
