using System.Collections.Concurrent;
using OllamaMax.Inference.Batching;
using OllamaMax.Jobs;
using OllamaMax.TestKit.Models;

namespace OllamaMax.Inference.Tests.Batching;

/// <summary>What a job says does not depend on who else is decoded beside it, nor on whether it was ever cut.</summary>
public sealed class BatchingTests
{
    private static readonly string[] s_prompts = ["hello", "what is this", EngineFixture.LongPrompt(40), "the quick brown fox", "a", "one two three four five six"];

    [Theory]
    [InlineData(GgufArchitecture.Llama, GgufVocabularyKind.SentencePiece)]
    [InlineData(GgufArchitecture.Qwen2, GgufVocabularyKind.Bpe)]
    public async Task RunAsync_InCompany_SaysWhatItSaysAlone(GgufArchitecture architecture, GgufVocabularyKind vocabulary)
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync(new GgufSpec { Architecture = architecture, Vocabulary = vocabulary });
        EngineRequest[] requests = [.. s_prompts.Select(prompt => EngineFixture.Greedy(prompt)), .. s_prompts.Select((prompt, i) => EngineFixture.Sampled(prompt, seed: (ulong)i))];
        List<int[]> alone = [];
        foreach (EngineRequest request in requests)
            alone.Add((await EngineFixture.RunAsync(loaded.Engine, request)).Sink.Tokens);

        (AttemptEnd End, CollectingSink Sink)[] together = await Task.WhenAll(requests.Select(request => EngineFixture.RunAsync(loaded.Engine, request)));

        for (int i = 0; i < requests.Length; i++)
        {
            together[i].End.Reason.ShouldBe(EndReason.Length);
            together[i].Sink.Tokens.ShouldBe(alone[i]);
            alone[i].Length.ShouldBe(24);
        }
    }

    [Fact]
    public async Task RunAsync_ManyTokensChosenOnSeveralThreads_AreThoseOfOne()
    {
        GgufSpec manyTokens = new() { VocabularySize = 32768, Layers = 1 };
        EngineRequest[] requests =
        [
            .. Enumerable.Range(0, 8).Select(i => EngineFixture.Greedy($"number {i}")),
            .. Enumerable.Range(0, 8).Select(i => EngineFixture.Sampled($"seed {i}", seed: (ulong)i)),
            .. Enumerable.Range(0, 4).Select(i => EngineFixture.Greedy($"likely {i}") with { Options = new InferenceOptions { Temperature = 0, NumPredict = 24, TopLogprobs = 5 } }),
        ];
        List<(int[] Tokens, TokenLogprobs[] Logprobs)[]> answers = [];
        foreach (int threads in new[] { 1, 4 })
        {
            EngineOptions options = EngineFixture.Exact with { Slots = requests.Length, PromptTokensBesideAnswers = requests.Length, SamplingThreads = threads };
            await using LoadedEngine loaded = await EngineFixture.LoadAsync(manyTokens, options);
            (AttemptEnd End, CollectingSink Sink)[] ended = await Task.WhenAll(requests.Select(request => EngineFixture.RunAsync(loaded.Engine, request)));
            ended.ShouldAllBe(each => each.End.Reason == EndReason.Length);
            answers.Add([.. ended.Select(each => (each.Sink.Tokens, each.Sink.Logprobs))]);
        }

        for (int i = 0; i < requests.Length; i++)
        {
            answers[1][i].Tokens.Length.ShouldBe(24);
            answers[1][i].Tokens.ShouldBe(answers[0][i].Tokens);
            answers[1][i].Logprobs.Length.ShouldBe(i < 16 ? 0 : 24);
            answers[1][i].Logprobs.ShouldAllBe(each => each.Top.Count == 5);
            answers[1][i].Logprobs.Select(each => each.Logprob).ShouldBe(answers[0][i].Logprobs.Select(each => each.Logprob), tolerance: 1e-4);
        }
    }

    [Fact]
    public async Task RunAsync_OtherSeed_SaysSomethingElse()
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync();

        int[] first = (await EngineFixture.RunAsync(loaded.Engine, EngineFixture.Sampled("hello", seed: 1))).Sink.Tokens;
        int[] second = (await EngineFixture.RunAsync(loaded.Engine, EngineFixture.Sampled("hello", seed: 2))).Sink.Tokens;

        second.ShouldNotBe(first);
    }

    [Fact]
    public async Task RunAsync_CutAnywhereAndResumed_GoesOnAsIfUncut()
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync();
        EngineRequest request = EngineFixture.Sampled("what is this", tokens: 20);
        int[] whole = (await EngineFixture.RunAsync(loaded.Engine, request)).Sink.Tokens;

        for (int cut = 0; cut < whole.Length; cut++)
        {
            (AttemptEnd end, CollectingSink rest) = await EngineFixture.RunAsync(loaded.Engine, request with { ResumeTokens = whole[..cut] });

            rest.Tokens.ShouldBe(whole[cut..]);
            rest.FirstIndex.ShouldBe(cut);
            end.Reason.ShouldBe(EndReason.Length);
        }
    }

    [Fact]
    public async Task RunAsync_ResumedAtItsEnd_EndsAtOnce()
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync();
        EngineRequest request = EngineFixture.Greedy("hello", tokens: 5);
        int[] whole = (await EngineFixture.RunAsync(loaded.Engine, request)).Sink.Tokens;

        (AttemptEnd end, CollectingSink rest) = await EngineFixture.RunAsync(loaded.Engine, request with { ResumeTokens = whole });

        end.Reason.ShouldBe(EndReason.Length);
        rest.Tokens.ShouldBeEmpty();
    }

    [Fact]
    public async Task RunAsync_ManyMoreThanSlots_AllEnd()
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync();

        (AttemptEnd End, CollectingSink Sink)[] all = await Task.WhenAll(
            Enumerable.Range(0, 40).Select(i => EngineFixture.RunAsync(loaded.Engine, EngineFixture.Sampled($"prompt {i}", tokens: 3 + (i % 9)))));

        for (int i = 0; i < all.Length; i++)
        {
            all[i].End.Reason.ShouldBe(EndReason.Length);
            all[i].Sink.Tokens.Length.ShouldBe(3 + (i % 9));
        }
    }

    [Fact]
    public async Task RunAsync_JobsTogether_ShareSteps()
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync();
        using CancellationTokenSource end = new();
        List<long> steps = [];
        CollectingSink first = new() { OnToken = _ => steps.Add(loaded.Engine.Steps) };
        EngineRequest longest = EngineFixture.Greedy("hello", -1);
        Task<AttemptEnd> running = loaded.Engine.RunAsync(longest with { Options = longest.Options with { Shift = true } }, first, end.Token).AsTask();
        await first.WaitForAsync(1);
        ConcurrentQueue<long> others = [];

        await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => loaded.Engine.RunAsync(
            EngineFixture.Greedy("hello", 100), new CollectingSink { OnToken = _ => others.Enqueue(loaded.Engine.Steps) }, TestContext.Current.CancellationToken).AsTask()));
        await end.CancelAsync();
        await running;

        others.Count.ShouldBe(300);
        others.ShouldBeSubsetOf(steps);
    }

    [Fact]
    public async Task RunAsync_LongPromptBesideAnAnswer_DoesNotHoldItUp()
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync();
        List<long> steps = [];
        CollectingSink answer = new() { OnToken = _ => steps.Add(loaded.Engine.Steps), StandsAt = 5 };
        Task<AttemptEnd> running = loaded.Engine.RunAsync(EngineFixture.Greedy("hello", 200), answer, TestContext.Current.CancellationToken).AsTask();
        await answer.WaitForAsync(5);

        Task<(AttemptEnd, CollectingSink Sink)> reading = EngineFixture.RunAsync(loaded.Engine, EngineFixture.Greedy(EngineFixture.LongPrompt(60), tokens: 1));
        answer.GoOn();
        CollectingSink prompt = (await reading).Sink;
        await running;

        prompt.Start!.PromptTokens.ShouldBeGreaterThan(3 * EngineFixture.Exact.PromptTokensBesideAnswers);
        for (int i = 1; i < steps.Count; i++)
            steps[i].ShouldBe(steps[i - 1] + 1, "a token in every step");
    }

    [Fact]
    public async Task RunAsync_LessMemoryThanSlotsNeed_AllEndWithTheSameAnswers()
    {
        EngineOptions tight = EngineFixture.Exact with { ContextPerSlot = 256, TotalContext = 256 };
        EngineRequest[] requests = [.. Enumerable.Range(0, 6).Select(i => EngineFixture.Sampled($"prompt number {i}", tokens: 120, seed: (ulong)i))];
        List<int[]> roomy = [];
        await using (LoadedEngine loaded = await EngineFixture.LoadAsync())
        {
            foreach (EngineRequest request in requests)
                roomy.Add((await EngineFixture.RunAsync(loaded.Engine, request)).Sink.Tokens);
        }
        await using LoadedEngine squeezed = await EngineFixture.LoadAsync(options: tight);

        (AttemptEnd End, CollectingSink Sink)[] all = await Task.WhenAll(requests.Select(request => EngineFixture.RunAsync(squeezed.Engine, request)));

        for (int i = 0; i < all.Length; i++)
        {
            all[i].End.Error.ShouldBeNull();
            all[i].Sink.Tokens.ShouldBe(roomy[i]);
        }
    }
}
