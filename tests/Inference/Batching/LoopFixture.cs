using Microsoft.Extensions.Logging.Abstractions;
using OllamaMax.Inference.Batching;
using OllamaMax.Inference.Native;
using OllamaMax.Jobs;

namespace OllamaMax.Inference.Tests.Batching;

/// <summary>Decode loops over real contexts that a test runs step by step.</summary>
internal sealed class LoopFixture : IDisposable
{
    private readonly INativeModel _model = TestModels.Load(EngineFixture.LongContext);
    private readonly List<IDisposable> _owned = [];

    public void Dispose()
    {
        _owned.ForEach(static one => one.Dispose());
        _model.Dispose();
    }

    public DecodeLoop WithoutStage(TimeProvider? time = null, int capacity = 4096, EngineOptions? options = null) =>
        Loop(Config(capacity), stageCapacity: 0, time ?? TimeProvider.System, options).Loop;

    public (DecodeLoop Loop, PromptStage Stage) WithStage(int capacity = 4096, int stageCapacity = 2048, TimeProvider? time = null)
    {
        (DecodeLoop loop, PromptStage? stage) = Loop(Config(capacity), stageCapacity, time ?? TimeProvider.System);
        return (loop, stage!);
    }

    /// <summary>What a job answers that runs alone.</summary>
    public int[] Alone(EngineRequest request)
    {
        DecodeLoop loop = WithoutStage();
        (_, CollectingSink sink) = Enqueue(loop, request);
        Step(loop, until: () => loop.IsIdle);
        return sink.Tokens;
    }

    public (EngineJob Job, CollectingSink Sink) Enqueue(DecodeLoop loop, EngineRequest request, CancellationTokenSource? cancellation = null)
    {
        CollectingSink sink = new();
        (EngineJob? job, _) = new JobReader(_model, contextPerSlot: 2048, capacity: 4096, guesses: true).Read(request, sink, cancellation?.Token ?? CancellationToken.None);
        loop.Enqueue(job.ShouldNotBeNull());
        return (job, sink);
    }

    /// <summary>An answer that runs when this returns.</summary>
    public (EngineJob Job, CollectingSink Sink) BeginAnswer(DecodeLoop loop, int tokens = 400)
    {
        (EngineJob job, CollectingSink sink) = Enqueue(loop, EngineFixture.Greedy("hello", tokens));
        Step(loop, until: () => sink.Tokens.Length > 3);
        return (job, sink);
    }

    public static void Step(DecodeLoop loop, Func<bool> until)
    {
        for (int i = 0; !until(); i++)
        {
            i.ShouldBeLessThan(5000, "it comes to no end");
            loop.Step();
        }
    }

    private static ContextConfig Config(int capacity) => new()
    {
        Capacity = capacity,
        Sequences = 8,
        BatchSize = 64,
        Threads = 1,
        Exchanges = true,
        FlashAttention = FlashAttention.Off,
        KeyType = CacheType.F32,
        ValueType = CacheType.F32,
    };

    private (DecodeLoop Loop, PromptStage? Stage) Loop(ContextConfig config, int stageCapacity, TimeProvider time, EngineOptions? options = null)
    {
        INativeContext context = _model.CreateContext(config);
        PromptStage? stage = stageCapacity == 0 ? null : new(_model.CreateContext(PromptStage.Config(config, stageCapacity)), context, time);
        // Twice as many tokens of prompts as EngineFixture's: few steps, whatever the machine makes of the pacing.
        DecodeLoop loop = new(_model, context, stage, slots: 4, options ?? EngineFixture.Exact with { PromptTokensBesideAnswers = 32 }, time, NullLogger.Instance);
        _owned.Add(loop);
        return (loop, stage);
    }
}
