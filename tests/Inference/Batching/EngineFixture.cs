using Microsoft.Extensions.Logging.Abstractions;
using OllamaMax.Inference.Batching;
using OllamaMax.Inference.Native;
using OllamaMax.Jobs;
using OllamaMax.TestKit.Models;

namespace OllamaMax.Inference.Tests.Batching;

/// <summary>Engines and requests as the tests of batching use them: one thread, everything exact.</summary>
internal static class EngineFixture
{
    /// <remarks>Without guesses: how many there are depends on what steps take, and tests count steps.</remarks>
    public static EngineOptions Exact { get; } = new()
    {
        DraftTokens = 0,
        Slots = 4,
        ContextPerSlot = 512,
        Threads = 1,
        BatchSize = 64,
        PromptTokensBesideAnswers = 16,
        GpuLayers = TestModels.GpuLayers,
        KeyType = CacheType.F32,
        ValueType = CacheType.F32,
        FlashAttention = FlashAttention.Off,
    };

    /// <summary>For prompts of thousands of tokens.</summary>
    public static GgufSpec LongContext { get; } = new() { Context = 4096 };

    public static Task<LoadedEngine> LoadAsync(GgufSpec? spec = null, EngineOptions? options = null) =>
        LoadAsync(TestModels.File(spec ?? TestModels.Tiny), options);

    public static Task<LoadedEngine> LoadAsync(string path, EngineOptions? options = null, TimeProvider? time = null) => LlamaEngine.LoadAsync(
        path, options ?? Exact, NullLoggerFactory.Instance, time ?? TimeProvider.System, TestContext.Current.CancellationToken);

    public static EngineRequest Greedy(string prompt, int tokens = 24) => new()
    {
        Prompt = prompt,
        Seed = 7,
        Options = new InferenceOptions { Temperature = 0, RepeatPenalty = 1.1f, NumPredict = tokens },
    };

    public static EngineRequest Sampled(string prompt, int tokens = 24, ulong seed = 7) => new()
    {
        Prompt = prompt,
        Seed = seed,
        Options = new InferenceOptions { Temperature = 1.2f, TopK = 60, TopP = 0.97f, MinP = 0.001f, RepeatPenalty = 1.1f, PresencePenalty = 0.2f, FrequencyPenalty = 0.1f, NumPredict = tokens },
    };

    public static async Task<(AttemptEnd End, CollectingSink Sink)> RunAsync(IInferenceEngine engine, EngineRequest request)
    {
        CollectingSink sink = new();
        AttemptEnd end = await engine.RunAsync(request, sink, TestContext.Current.CancellationToken);
        return (end, sink);
    }

    /// <summary>A job as the planner sees it: planning asks for its tokens alone, so it has no sampler.</summary>
    public static EngineJob Begun(int sequence, int pending) => Begun(sequence, [.. Enumerable.Range(0, pending)]);

    /// <inheritdoc cref="Begun(int, int)"/>
    public static EngineJob Begun(int sequence, int[] pending, int answer = 1000, int context = 1000)
    {
        JobBounds bounds = new(Context: context, Answer: answer, Keep: 0);
        EngineJob job = new(pending, Greedy(""), bounds, null!, new CollectingSink(), guesses: true, predicted: [], CancellationToken.None);
        job.Admit(new Sequence(sequence), isLoading: false, TimeProvider.System);
        return job;
    }

    public static string LongPrompt(int words) => string.Join(' ', Enumerable.Range(0, words).Select(static i => $"word{i % 17}"));
}
