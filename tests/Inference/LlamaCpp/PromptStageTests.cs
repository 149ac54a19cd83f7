using OllamaMax.Inference.Batching;
using OllamaMax.Inference.Native;
using OllamaMax.Inference.Tests.Batching;
using OllamaMax.Jobs;

namespace OllamaMax.Inference.Tests.LlamaCpp;

/// <summary>The loop step by step over real contexts: a long prompt beside an answer is read in a context of its own, and nobody can tell from the tokens.</summary>
public sealed class PromptStageTests : IDisposable
{
    private static readonly string s_system = EngineFixture.LongPrompt(60);

    private readonly LoopFixture _loops = new();

    public void Dispose() => _loops.Dispose();

    [Fact]
    public async Task Step_LongPromptBesideAnAnswer_BothAnswerAsAlone()
    {
        (DecodeLoop loop, PromptStage stage) = _loops.WithStage();
        string text = EngineFixture.LongPrompt(110);
        int[] answer = _loops.Alone(EngineFixture.Greedy("hello", 400)), prompt = _loops.Alone(EngineFixture.Sampled(text));
        (EngineJob answering, CollectingSink first) = _loops.BeginAnswer(loop);

        (EngineJob reading, CollectingSink second) = _loops.Enqueue(loop, EngineFixture.Sampled(text));
        loop.Step();
        stage.Job.ShouldBe(reading);
        // Several pieces, the last one shorter.
        List<int> lengths = [];
        LoopFixture.Step(loop, until: () =>
        {
            lengths.Add(reading.Sequence!.Length);
            return stage.Job is null;
        });
        LoopFixture.Step(loop, until: () => loop.IsIdle);

        lengths.Distinct().Count().ShouldBeGreaterThan(2);
        lengths.Distinct().ElementAt(1).ShouldBe(PromptStage.Piece);
        second.Tokens.ShouldBe(prompt);
        first.Tokens.ShouldBe(answer);
        (await answering.End).Reason.ShouldBe(EndReason.Length);
    }

    [Fact]
    public void Step_PromptThatBeginsAsAKnownOne_ReadsTheRest()
    {
        (DecodeLoop loop, PromptStage stage) = _loops.WithStage();
        EngineRequest request = EngineFixture.Greedy(s_system + EngineFixture.LongPrompt(50));
        int[] cold = _loops.Alone(request);
        _loops.Enqueue(loop, EngineFixture.Greedy(s_system, 1));
        LoopFixture.Step(loop, until: () => loop.IsIdle);
        _loops.BeginAnswer(loop);

        (EngineJob reading, CollectingSink second) = _loops.Enqueue(loop, request);
        loop.Step();
        stage.Job.ShouldBe(reading);
        stage.Pending.ShouldBeLessThan(reading.Length / 2);
        LoopFixture.Step(loop, until: () => reading.End.IsCompleted);

        second.Tokens.ShouldBe(cold);
        second.Start!.CachedTokens.ShouldBeGreaterThan(second.Start.PromptTokens / 2);
    }

    [Fact]
    public async Task Step_CancelledWhileItIsRead_FreesTheStageAndKeepsWhatWasCopied()
    {
        (DecodeLoop loop, PromptStage stage) = _loops.WithStage();
        EngineRequest request = EngineFixture.Greedy(EngineFixture.LongPrompt(110));
        int[] cold = _loops.Alone(request);
        _loops.BeginAnswer(loop);
        using CancellationTokenSource cancellation = new();
        (EngineJob cancelled, _) = _loops.Enqueue(loop, request, cancellation);
        LoopFixture.Step(loop, until: () => cancelled.Sequence is { Length: > 0 });

        await cancellation.CancelAsync();
        loop.Step();
        (stage.Job, (await cancelled.End).Reason).ShouldBe((null, EndReason.Cancelled));
        (EngineJob again, CollectingSink second) = _loops.Enqueue(loop, request);
        LoopFixture.Step(loop, until: () => again.End.IsCompleted);

        second.Start!.CachedTokens.ShouldBeInRange(PromptStage.Piece, second.Start.PromptTokens - 2);
        second.Tokens.ShouldBe(cold);
    }

    [Fact]
    public async Task Step_CancelledInTheMiddleOfABatch_TheStageReadsTheNextPrompt()
    {
        (DecodeLoop loop, PromptStage stage) = _loops.WithStage(time: new TickingTime());
        EngineRequest request = EngineFixture.Greedy(EngineFixture.LongPrompt(110));
        int[] cold = _loops.Alone(request);
        _loops.BeginAnswer(loop);
        using CancellationTokenSource cancellation = new();
        (EngineJob cancelled, _) = _loops.Enqueue(loop, request, cancellation);
        loop.Step();
        int before = stage.Pending;
        loop.Step();
        (stage.Job, stage.Pending).ShouldBe((cancelled, before), "a batch takes several steps");

        await cancellation.CancelAsync();
        loop.Step();
        (stage.Job, (await cancelled.End).Reason).ShouldBe((null, EndReason.Cancelled));
        (EngineJob again, CollectingSink second) = _loops.Enqueue(loop, request);
        LoopFixture.Step(loop, until: () => again.End.IsCompleted);

        second.Tokens.ShouldBe(cold);
    }

    [Fact]
    public void Plan_PromptOnTheStage_HasTheTimeThatIsLeftToIt()
    {
        (DecodeLoop loop, PromptStage stage) = _loops.WithStage();
        _loops.BeginAnswer(loop);
        (EngineJob reading, _) = _loops.Enqueue(loop, EngineFixture.Greedy(EngineFixture.LongPrompt(110)));
        loop.Step();
        stage.Job.ShouldBe(reading);
        EngineJob answer = EngineFixture.Begun(1, pending: 1), other = EngineFixture.Begun(2, pending: 50), third = EngineFixture.Begun(3, pending: 60);
        StepPlanner planner = new(64, new DraftPlanner(most: 0), stage);
        PromptPacing pacing = new(8, 512);

        TimeSpan SliceOf(params EngineJob[] jobs)
        {
            planner.Plan([.. jobs, reading], new DecodeBatch(64), pacing);
            return planner.Slice;
        }

        SliceOf(answer).ShouldBe(TimeSpan.Zero, "nobody knows yet what an answer takes");
        pacing.Add(answers: 1, promptTokens: 0, TimeSpan.FromMilliseconds(10));
        TimeSpan whole = pacing.Slice(answers: 1, prompts: 1);
        SliceOf(answer).ShouldBe(whole);
        SliceOf(answer, other).ShouldBe(pacing.Slice(1, 2) / 2);
        SliceOf(answer, other, third).ShouldBe(pacing.Slice(1, 3) / 4);
        SliceOf([answer, .. Enumerable.Range(4, 40).Select(i => EngineFixture.Begun(i, pending: 50))]).ShouldBe(pacing.Slice(1, 41) / 32);
        SliceOf(other).ShouldBe(TimeSpan.MaxValue);
        planner.Plan([answer, other], new DecodeBatch(64), pacing).Select(part => part.Count).ShouldBe([1, 4]);
        stage.Leave(reading);
        planner.Plan([answer, other], new DecodeBatch(64), pacing).Select(part => part.Count).ShouldBe([1, 8]);
        planner.Slice.ShouldBe(TimeSpan.Zero);
    }

    [Fact]
    public void Step_MemoryIsFullOfKeptPrompts_TheyMakeRoomForIt()
    {
        (DecodeLoop loop, PromptStage stage) = _loops.WithStage(capacity: 1024);
        EngineRequest request = EngineFixture.Greedy("once" + EngineFixture.LongPrompt(90), tokens: 5);
        int[] cold = _loops.Alone(request);
        _loops.Enqueue(loop, EngineFixture.Greedy(EngineFixture.LongPrompt(110), 1));
        LoopFixture.Step(loop, until: () => loop.IsIdle);
        _loops.BeginAnswer(loop);

        (EngineJob reading, CollectingSink second) = _loops.Enqueue(loop, request);
        loop.Step();
        stage.Job.ShouldBe(reading);
        LoopFixture.Step(loop, until: () => reading.End.IsCompleted);

        second.Tokens.ShouldBe(cold);
    }

    [Fact]
    public void Step_TwoLongPrompts_TheLongestIsReadApartAndTheOtherBesideIt()
    {
        (DecodeLoop loop, PromptStage stage) = _loops.WithStage();
        EngineRequest[] requests = [EngineFixture.Greedy("a" + EngineFixture.LongPrompt(60)), EngineFixture.Greedy("b" + EngineFixture.LongPrompt(110)), EngineFixture.Greedy("short")];
        int[][] cold = [.. requests.Select(_loops.Alone)];
        _loops.BeginAnswer(loop);

        (EngineJob Job, CollectingSink Sink)[] all = [.. requests.Select(request => _loops.Enqueue(loop, request))];
        loop.Step();
        stage.Job.ShouldBe(all[1].Job);
        all[0].Job.Sequence!.Length.ShouldBeGreaterThan(0);
        all[1].Job.Sequence!.Length.ShouldBe(0);
        LoopFixture.Step(loop, until: () => all.All(static one => one.Job.End.IsCompleted));

        all.Select(static one => one.Sink.Tokens).ShouldBe(cold);
    }

    [Fact]
    public async Task Step_TheAnswersEndMeanwhile_TheRestIsReadInWholeBatches()
    {
        (DecodeLoop loop, PromptStage stage) = _loops.WithStage();
        EngineRequest request = EngineFixture.Greedy(EngineFixture.LongPrompt(110));
        int[] cold = _loops.Alone(request);
        (EngineJob answering, _) = _loops.BeginAnswer(loop, tokens: 6);
        (EngineJob reading, CollectingSink second) = _loops.Enqueue(loop, request);
        LoopFixture.Step(loop, until: () => answering.End.IsCompleted);
        stage.Job.ShouldBe(reading);

        loop.Step();
        int before = stage.Pending;
        loop.Step();
        (before - stage.Pending).ShouldBe(PromptStage.Piece);
        LoopFixture.Step(loop, until: () => reading.End.IsCompleted);

        second.Tokens.ShouldBe(cold);
        (await reading.End).Reason.ShouldBe(EndReason.Length);
    }

    [Fact]
    public void Step_NoAnswerRuns_NothingIsReadApart()
    {
        (DecodeLoop loop, PromptStage stage) = _loops.WithStage();
        _loops.Enqueue(loop, EngineFixture.Greedy(EngineFixture.LongPrompt(110)));

        loop.Step();

        stage.Job.ShouldBeNull();
    }

    [Fact]
    public void Step_LongerThanTheStage_IsReadBesideTheAnswers()
    {
        (DecodeLoop loop, PromptStage stage) = _loops.WithStage(stageCapacity: 256);
        _loops.BeginAnswer(loop);
        (EngineJob reading, _) = _loops.Enqueue(loop, EngineFixture.Greedy(EngineFixture.LongPrompt(110)));

        loop.Step();

        stage.Job.ShouldBeNull();
        reading.Sequence!.Length.ShouldBeGreaterThan(0);
    }
}
