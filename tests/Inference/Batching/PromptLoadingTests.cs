using OllamaMax.Inference.Batching;
using OllamaMax.Jobs;

namespace OllamaMax.Inference.Tests.Batching;

/// <summary>The loop step by step: prompts that left the context come back beside an answer that runs.</summary>
public sealed class PromptLoadingTests : IDisposable
{
    private const int Block = PrefixStore.BlockTokens;

    private static readonly EngineRequest s_request = EngineFixture.Greedy(EngineFixture.LongPrompt(150));

    private readonly LoopFixture _loops = new();
    private readonly DecodeLoop _loop;

    // Each look at the clock is a millisecond, and so is each step: there is time for the one block that always comes.
    public PromptLoadingTests()
    {
        _loop = _loops.WithoutStage(new TickingTime());
        _loops.Enqueue(_loop, s_request);
        LoopFixture.Step(_loop, until: () => _loop.IsIdle);
        // It leaves the context meanwhile.
        _loops.Enqueue(_loop, EngineFixture.Greedy("what", 200));
        LoopFixture.Step(_loop, until: () => _loop.IsIdle);
    }

    public void Dispose() => _loops.Dispose();

    [Fact]
    public void Step_KnownPromptBesideAnAnswer_LoadsABlockAStepAndTheAnswerGoesOn()
    {
        (_, CollectingSink answer) = _loops.BeginAnswer(_loop);
        int tokens = answer.Tokens.Length;
        (EngineJob job, CollectingSink sink) = _loops.Enqueue(_loop, s_request);

        List<int> lengths = [];
        LoopFixture.Step(_loop, until: () =>
        {
            if (job.Sequence is not null)
                lengths.Add(job.Sequence.Length);
            return job.Sequence is not null && !job.IsLoading;
        });

        lengths.Count.ShouldBeGreaterThan(4);
        lengths[..^1].ShouldBe([.. Enumerable.Range(1, lengths.Count - 1).Select(static i => i * Block)]);
        answer.Tokens.Length.ShouldBe(tokens + lengths.Count);
        LoopFixture.Step(_loop, until: () => job.End.IsCompleted);
        sink.Start!.CachedTokens.ShouldBe(sink.Start.PromptTokens - 1);
        sink.Tokens.ShouldBe(_loops.Alone(s_request));
    }

    [Fact]
    public void Step_PromptsThatBeginAlike_OneLoadsAndTheOthersShareIt()
    {
        _loops.BeginAnswer(_loop);
        EngineRequest alike = s_request with { Prompt = s_request.Prompt + " and then" };
        (EngineJob first, _) = _loops.Enqueue(_loop, s_request);
        (EngineJob second, CollectingSink sink) = _loops.Enqueue(_loop, alike);

        _loop.Step();
        while (first.IsLoading)
        {
            second.Sequence.ShouldBeNull();
            _loop.Step();
        }
        _loop.Step();

        second.IsLoading.ShouldBeFalse();
        LoopFixture.Step(_loop, until: () => second.End.IsCompleted);
        sink.Start!.CachedTokens.ShouldBeGreaterThan(sink.Start.PromptTokens * 9 / 10);
        sink.Tokens.ShouldBe(_loops.Alone(alike));
    }

    [Fact]
    public async Task Step_CancelledWhileItLoads_EndsAndComesBackWhole()
    {
        _loops.BeginAnswer(_loop);
        using CancellationTokenSource cancellation = new();
        (EngineJob cancelled, _) = _loops.Enqueue(_loop, s_request, cancellation);
        LoopFixture.Step(_loop, until: () => cancelled.Sequence is { Length: > Block });
        cancelled.IsLoading.ShouldBeTrue();

        await cancellation.CancelAsync();
        _loop.Step();
        (await cancelled.End).Reason.ShouldBe(EndReason.Cancelled);
        (EngineJob again, CollectingSink sink) = _loops.Enqueue(_loop, s_request);
        LoopFixture.Step(_loop, until: () => again.End.IsCompleted);

        sink.Start!.CachedTokens.ShouldBe(sink.Start.PromptTokens - 1);
        sink.Tokens.ShouldBe(_loops.Alone(s_request));
    }
}
