using OllamaMax.Inference.Batching;
using OllamaMax.Jobs;

namespace OllamaMax.Inference.Tests.Batching;

/// <summary>A beginning that was read once is not read again, and nobody can tell from the answers.</summary>
public sealed class PrefixReuseTests
{
    private static readonly string s_system = EngineFixture.LongPrompt(60);

    private static readonly EngineOptions s_cold = EngineFixture.Exact with { CachedPrompts = 0 };

    [Fact]
    public async Task RunAsync_SharedBeginning_AnswersAsACold()
    {
        EngineRequest[] requests = [.. Enumerable.Range(0, 6).SelectMany(i => (EngineRequest[])[EngineFixture.Greedy($"{s_system} question {i}"), EngineFixture.Sampled($"{s_system} question {i}")])];
        List<int[]> cold = [];
        await using (LoadedEngine loaded = await EngineFixture.LoadAsync(options: s_cold))
        {
            foreach (EngineRequest request in requests)
                cold.Add((await EngineFixture.RunAsync(loaded.Engine, request)).Sink.Tokens);
        }
        await using LoadedEngine warm = await EngineFixture.LoadAsync();
        (_, CollectingSink first) = await EngineFixture.RunAsync(warm.Engine, requests[0]);

        (AttemptEnd End, CollectingSink Sink)[] all = await Task.WhenAll(requests.Select(request => EngineFixture.RunAsync(warm.Engine, request)));

        first.Start!.CachedTokens.ShouldBe(0);
        for (int i = 0; i < all.Length; i++)
        {
            all[i].Sink.Tokens.ShouldBe(cold[i]);
            all[i].Sink.Start!.CachedTokens.ShouldBeGreaterThan(all[i].Sink.Start!.PromptTokens * 3 / 4);
        }
    }

    [Fact]
    public async Task RunAsync_SecondOverALongBeginning_TakesAFractionOfTheSteps()
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync(
            EngineFixture.LongContext, EngineFixture.Exact with { ContextPerSlot = 2048 });
        string system = EngineFixture.LongPrompt(170);

        (long cold, CollectingSink first) = await StepsAsync(loaded.Engine, EngineFixture.Greedy(system + " what is this", tokens: 1));
        (long warm, CollectingSink second) = await StepsAsync(loaded.Engine, EngineFixture.Greedy(system + " who are you", tokens: 1));

        first.Start!.PromptTokens.ShouldBeGreaterThan(1000);
        second.Start!.CachedTokens.ShouldBeGreaterThan(1000);
        warm.ShouldBeLessThanOrEqualTo((long)(0.15 * cold));
    }

    [Fact]
    public async Task RunAsync_LongAfterwardsWithoutAStore_ItIsForgotten()
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync(options: EngineFixture.Exact with { CachedFor = 100, PrefixBytes = 0 });
        EngineRequest request = EngineFixture.Greedy($"{s_system} what is this", tokens: 1);
        (_, CollectingSink first) = await EngineFixture.RunAsync(loaded.Engine, request);
        await EngineFixture.RunAsync(loaded.Engine, EngineFixture.Greedy("hello", tokens: 90));
        (_, CollectingSink soon) = await EngineFixture.RunAsync(loaded.Engine, request);

        await EngineFixture.RunAsync(loaded.Engine, EngineFixture.Greedy("what", tokens: 110));
        (_, CollectingSink late) = await EngineFixture.RunAsync(loaded.Engine, request);

        first.Start!.CachedTokens.ShouldBe(0);
        soon.Start!.CachedTokens.ShouldBe(first.Start.PromptTokens - 1);
        // The first token, which every prompt begins with.
        late.Start!.CachedTokens.ShouldBeLessThan(2);
    }

    [Fact]
    public async Task RunAsync_MoreConversationsThanTheContextHolds_NoneIsReadAgain()
    {
        string[] openings = [.. Enumerable.Range(0, 6).Select(static i => $"{i} {s_system}")];
        EngineRequest[] turns = [.. openings.Select(static opening => EngineFixture.Greedy($"{opening} and then"))];
        List<int[]> cold = [];
        await using (LoadedEngine loaded = await EngineFixture.LoadAsync(options: s_cold))
        {
            foreach (EngineRequest turn in turns)
                cold.Add((await EngineFixture.RunAsync(loaded.Engine, turn)).Sink.Tokens);
        }
        await using LoadedEngine small = await EngineFixture.LoadAsync(options: EngineFixture.Exact with { TotalContext = 1024 });
        foreach (string opening in openings)
            await EngineFixture.RunAsync(small.Engine, EngineFixture.Greedy(opening));

        (AttemptEnd End, CollectingSink Sink)[] all = await Task.WhenAll(turns.Select(turn => EngineFixture.RunAsync(small.Engine, turn)));

        for (int i = 0; i < all.Length; i++)
        {
            all[i].Sink.Tokens.ShouldBe(cold[i]);
            all[i].Sink.Start!.CachedTokens.ShouldBeGreaterThan(all[i].Sink.Start!.PromptTokens * 9 / 10);
        }
    }

    [Fact]
    public async Task RunAsync_FromTheStoreBesideAnswers_BothAnswerAsAlone()
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync(EngineFixture.LongContext, EngineFixture.Exact with { ContextPerSlot = 2048, CachedFor = 64 });
        EngineRequest beside = EngineFixture.Sampled("hello", 300), request = EngineFixture.Sampled(EngineFixture.LongPrompt(150));
        int[] answer = (await EngineFixture.RunAsync(loaded.Engine, beside)).Sink.Tokens;
        int[] cold = (await EngineFixture.RunAsync(loaded.Engine, request)).Sink.Tokens;
        // It leaves the context meanwhile.
        await EngineFixture.RunAsync(loaded.Engine, EngineFixture.Greedy("what", 300));
        CollectingSink sink = new() { StandsAt = 3 };
        Task<AttemptEnd> running = loaded.Engine.RunAsync(beside, sink, TestContext.Current.CancellationToken).AsTask();
        await sink.WaitForAsync(3);

        Task<(AttemptEnd, CollectingSink Sink)> again = EngineFixture.RunAsync(loaded.Engine, request);
        sink.GoOn();

        CollectingSink second = (await again).Sink;
        await running;
        second.Tokens.ShouldBe(cold);
        second.Start!.CachedTokens.ShouldBe(second.Start.PromptTokens - 1);
        sink.Tokens.ShouldBe(answer);
    }

    [Fact]
    public async Task RunAsync_SamePromptAgain_ReadsItsLastTokenOnly()
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync();

        (_, CollectingSink first) = await EngineFixture.RunAsync(loaded.Engine, EngineFixture.Greedy(s_system));
        (_, CollectingSink second) = await EngineFixture.RunAsync(loaded.Engine, EngineFixture.Greedy(s_system));

        second.Start!.CachedTokens.ShouldBe(second.Start.PromptTokens - 1);
        second.Tokens.ShouldBe(first.Tokens);
    }

    [Fact]
    public async Task RunAsync_BeginningOfARunningOne_IsShared()
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync();
        using CancellationTokenSource end = new();
        CollectingSink sink = new();
        Task<AttemptEnd> running = loaded.Engine.RunAsync(EngineFixture.Greedy(s_system, -1), sink, end.Token).AsTask();
        await sink.WaitForAsync(1);

        (_, CollectingSink second) = await EngineFixture.RunAsync(loaded.Engine, EngineFixture.Greedy(s_system + " more", 3));

        second.Start!.CachedTokens.ShouldBeGreaterThan(second.Start.PromptTokens / 2);
        await end.CancelAsync();
        await running;
    }

    [Fact]
    public async Task RunAsync_BeginningOfACancelledOne_IsShared()
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync();
        using CancellationTokenSource cancel = new();
        CollectingSink sink = new() { OnToken = _ => cancel.Cancel() };
        (await loaded.Engine.RunAsync(EngineFixture.Greedy(s_system, -1), sink, cancel.Token)).Reason.ShouldBe(EndReason.Cancelled);

        (_, CollectingSink second) = await EngineFixture.RunAsync(loaded.Engine, EngineFixture.Greedy(s_system, 3));

        second.Start!.CachedTokens.ShouldBe(second.Start.PromptTokens - 1);
    }

    [Fact]
    public async Task RunAsync_ContinuedWhereItWas_ReadsNothingTwice()
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync();
        EngineRequest request = EngineFixture.Sampled(s_system, 40);
        int[] whole = (await EngineFixture.RunAsync(loaded.Engine, request)).Sink.Tokens;
        long before = loaded.Engine.Steps;

        (_, CollectingSink rest) = await EngineFixture.RunAsync(loaded.Engine, request with { ResumeTokens = whole[..30] });

        rest.Tokens.ShouldBe(whole[30..]);
        rest.Start!.CachedTokens.ShouldBe(rest.Start.PromptTokens);
        (loaded.Engine.Steps - before).ShouldBe(10);
    }

    [Fact]
    public async Task RunAsync_NothingToBeKept_ReadsAllAgainBesideARunningOneToo()
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync(options: s_cold);
        await EngineFixture.RunAsync(loaded.Engine, EngineFixture.Greedy(s_system));
        CollectingSink first = new() { StandsAt = 1 };
        Task<AttemptEnd> running = loaded.Engine.RunAsync(EngineFixture.Greedy(s_system), first, TestContext.Current.CancellationToken).AsTask();
        await first.WaitForAsync(1);

        Task<(AttemptEnd, CollectingSink Sink)> second = EngineFixture.RunAsync(loaded.Engine, EngineFixture.Greedy(s_system));
        first.GoOn();

        first.Start!.CachedTokens.ShouldBe(0);
        (await second).Sink.Start!.CachedTokens.ShouldBe(0);
        await running;
    }

    [Fact]
    public async Task RunAsync_MemoryFullOfWhatIsKept_MakesRoomForWhatRuns()
    {
        EngineOptions tight = EngineFixture.Exact with { TotalContext = 512, ContextPerSlot = 512 };
        await using LoadedEngine loaded = await EngineFixture.LoadAsync(options: tight);

        for (int i = 0; i < 8; i++)
        {
            (AttemptEnd end, CollectingSink sink) = await EngineFixture.RunAsync(loaded.Engine, EngineFixture.Greedy($"number {i} {s_system}", 80));
            end.Error.ShouldBeNull();
            sink.Tokens.Length.ShouldBe(80);
        }
    }

    [Fact]
    public async Task RunAsync_AnswerOfAFailedOne_IsNotShared()
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync();
        CollectingSink broken = new() { OnToken = static _ => throw new InvalidOperationException("the sink is broken") };
        (await loaded.Engine.RunAsync(EngineFixture.Greedy(s_system), broken, TestContext.Current.CancellationToken)).Reason.ShouldBe(EndReason.Failed);

        (_, CollectingSink second) = await EngineFixture.RunAsync(loaded.Engine, EngineFixture.Greedy(s_system));

        second.Start!.CachedTokens.ShouldBe(0);
    }

    private static async Task<(long Steps, CollectingSink Sink)> StepsAsync(IInferenceEngine engine, EngineRequest request)
    {
        long before = engine.Steps;
        (AttemptEnd end, CollectingSink sink) = await EngineFixture.RunAsync(engine, request);
        end.Error.ShouldBeNull();
        return (engine.Steps - before, sink);
    }
}
