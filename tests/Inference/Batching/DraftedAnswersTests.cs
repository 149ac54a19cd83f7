using OllamaMax.Inference.Batching;
using OllamaMax.Jobs;
using OllamaMax.TestKit.Models;

namespace OllamaMax.Inference.Tests.Batching;

/// <summary>
/// Answers whose tokens are guessed ahead are the answers that come without. All steps take as long here, so that as much is guessed as there is to guess.
/// </summary>
public sealed class DraftedAnswersTests
{
    private const string Repeating = """root ::= ("the same old song, ")+""";

    private static readonly EngineOptions s_guessing = EngineFixture.Exact with { DraftTokens = 16 };

    public static TheoryData<GgufArchitecture> Architectures() => [GgufArchitecture.Llama, GgufArchitecture.Qwen2, GgufArchitecture.Gemma3];

    [Theory]
    [MemberData(nameof(Architectures))]
    public async Task RunAsync_TextThatRepeatsItself_TakesFewerStepsForTheSameAnswer(GgufArchitecture architecture)
    {
        EngineRequest request = Constrained(Repeating, tokens: 120);

        (Answer expected, long steps) = (await RunAsync(architecture, EngineFixture.Exact, request))[0];
        (Answer answer, long fewer) = (await RunAsync(architecture, s_guessing, request))[0];

        answer.ShouldBe(expected);
        steps.ShouldBeGreaterThan(119);
        fewer.ShouldBeLessThan(steps / 2);
    }

    [Fact]
    public async Task RunAsync_TextThatRepeatsItself_EndSaysWhatWasGuessedAndHowMuchOfItRight()
    {
        await using LoadedEngine plain = await LoadAsync(GgufArchitecture.Llama, EngineFixture.Exact);
        await using LoadedEngine guessing = await LoadAsync(GgufArchitecture.Llama, s_guessing);

        (AttemptEnd without, _) = await EngineFixture.RunAsync(plain.Engine, Constrained(Repeating, tokens: 120));
        (AttemptEnd end, _) = await EngineFixture.RunAsync(guessing.Engine, Constrained(Repeating, tokens: 120));

        (without.DraftedTokens, without.AcceptedTokens).ShouldBe((0, 0));
        end.AcceptedTokens.ShouldBe((int)(plain.Engine.Steps - guessing.Engine.Steps));
        end.DraftedTokens.ShouldBeGreaterThanOrEqualTo(end.AcceptedTokens);
    }

    /// <summary>Nothing of it stands in the prompt, or twice.</summary>
    [Theory]
    [InlineData("pack my box with five dozen liquor jugs; how quickly daft jumping zebras vex.", 3)]
    [InlineData("pack my box with TEN dozen liquor jugs; how quickly daft jumping zebras vex.", 2)]
    public async Task RunAsync_AnswerIsPredicted_TakesFewerStepsForTheSameAnswer(string prediction, int times)
    {
        EngineRequest request = Constrained("""root ::= "pack my box with five dozen liquor jugs; how quickly daft jumping zebras vex." """, tokens: 120);

        (Answer expected, long steps) = (await RunAsync(GgufArchitecture.Llama, s_guessing, request))[0];
        (Answer answer, long fewer) = (await RunAsync(GgufArchitecture.Llama, s_guessing, request with { Prediction = prediction }))[0];

        answer.ShouldBe(expected);
        fewer.ShouldBeLessThan(steps / times);
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public async Task RunAsync_AnyAnswer_IsTheSame(GgufArchitecture architecture)
    {
        string quoting = string.Concat(Enumerable.Repeat(EngineFixture.LongPrompt(17), 3));
        EngineRequest[] requests =
        [
            Loose(EngineFixture.Greedy("hello", 100)),
            Loose(EngineFixture.Greedy(quoting, 100)),
            Loose(EngineFixture.Sampled(quoting, 60)),
            EngineFixture.Greedy(quoting, 60),
            EngineFixture.Sampled("hello", 60, seed: 3),
            EngineFixture.Sampled("hello", 60, seed: 4) with { Prediction = quoting },
            EngineFixture.Sampled("hello", 60, seed: 5) with { Prediction = "" },
            Constrained(Repeating, tokens: 7),
            Constrained("""root ::= "ab ab ab ab ab ab ab ab ab ab ab ab" """, tokens: 100),
            Constrained("""root ::= ("ab " | "cd "){4,20}""", tokens: 100),
        ];

        List<(Answer Answer, long)> expected = await RunAsync(architecture, EngineFixture.Exact, requests);
        List<(Answer Answer, long)> answers = await RunAsync(architecture, s_guessing, requests);

        answers.Select(static one => one.Answer).ShouldBe(expected.Select(static one => one.Answer));
        expected.ShouldContain(static one => one.Answer.Reason == EndReason.Stop);
    }

    [Fact]
    public async Task RunAsync_TogetherWithOthers_IsTheSame()
    {
        EngineRequest[] requests = [Constrained(Repeating, 100), Loose(EngineFixture.Sampled("hello", 100)), Constrained(Repeating, 80, seed: 2), EngineFixture.Greedy(EngineFixture.LongPrompt(60), 60)];
        List<(Answer Answer, long)> expected = await RunAsync(GgufArchitecture.Llama, EngineFixture.Exact, requests);
        await using LoadedEngine loaded = await LoadAsync(GgufArchitecture.Llama, s_guessing);

        Answer[] answers = await Task.WhenAll(requests.Select(request => AnswerAsync(loaded.Engine, request)));

        answers.ShouldBe(expected.Select(static one => one.Answer));
    }

    [Fact]
    public async Task RunAsync_WindowIsShifted_IsTheSame()
    {
        EngineRequest request = Constrained(Repeating, tokens: 200);
        request = request with { Options = request.Options with { NumCtx = 64, Shift = true } };

        List<(Answer Answer, long)> expected = await RunAsync(GgufArchitecture.Llama, EngineFixture.Exact, request);

        (await RunAsync(GgufArchitecture.Llama, s_guessing, request))[0].Answer.ShouldBe(expected[0].Answer);
        expected[0].Answer.Tokens.Split(' ').Length.ShouldBe(200);
    }

    [Fact]
    public async Task RunAsync_LikelihoodsAreAsked_EachTokenHasItsOwn()
    {
        EngineRequest request = Constrained(Repeating, tokens: 60);
        request = request with { Options = request.Options with { TopLogprobs = 2 } };
        await using LoadedEngine plain = await LoadAsync(GgufArchitecture.Llama, EngineFixture.Exact);
        await using LoadedEngine guessing = await LoadAsync(GgufArchitecture.Llama, s_guessing);

        TokenLogprobs[] expected = (await EngineFixture.RunAsync(plain.Engine, request)).Sink.Logprobs;
        TokenLogprobs[] logprobs = (await EngineFixture.RunAsync(guessing.Engine, request)).Sink.Logprobs;

        guessing.Engine.Steps.ShouldBeLessThan(plain.Engine.Steps);
        logprobs.Length.ShouldBe(60);
        for (int i = 0; i < logprobs.Length; i++)
        {
            logprobs[i].Logprob.ShouldBe(expected[i].Logprob, 1e-4);
            logprobs[i].Top.Select(static top => top.Token).ShouldBe(expected[i].Top.Select(static top => top.Token));
        }
    }

    [Fact]
    public async Task RunAsync_NextTurnAfterIt_ReadsOnlyWhatIsNew()
    {
        await using LoadedEngine loaded = await LoadAsync(GgufArchitecture.Llama, s_guessing);
        EngineRequest request = Constrained(Repeating, tokens: 60);
        (_, CollectingSink first) = await EngineFixture.RunAsync(loaded.Engine, request);

        (_, CollectingSink next) = await EngineFixture.RunAsync(loaded.Engine, request with { Prompt = request.Prompt + first.Text + " more" });

        next.Start!.CachedTokens.ShouldBeGreaterThan(50);
    }

    [Fact]
    public async Task RunAsync_ModelWithAState_GuessesNothing()
    {
        EngineRequest request = Constrained(Repeating, tokens: 60);

        (_, long steps) = (await RunAsync(GgufArchitecture.Mamba, EngineFixture.Exact, request))[0];

        (await RunAsync(GgufArchitecture.Mamba, s_guessing, request))[0].Steps.ShouldBe(steps);
    }

    [Fact]
    public void Step_RoomForTheAnswerAlone_GoesOnWithoutGuesses()
    {
        using LoopFixture loops = new();

        (int expected, long steps) = UntilFull(loops, EngineFixture.Exact);
        (int tokens, long fewer) = UntilFull(loops, s_guessing);

        tokens.ShouldBe(expected);
        fewer.ShouldBeLessThan(steps / 2);
    }

    // The fixture's reader lets a job in that may become longer than there is room for.
    private static (int Tokens, long Steps) UntilFull(LoopFixture loops, EngineOptions options)
    {
        DecodeLoop loop = loops.WithoutStage(new TickingTime(), capacity: 512, options);
        (EngineJob job, CollectingSink sink) = loops.Enqueue(loop, Constrained(Repeating, tokens: 1000));
        LoopFixture.Step(loop, until: () => loop.IsIdle);
        job.End.Result.Reason.ShouldBe(EndReason.Failed);
        return (sink.Tokens.Length, loop.Steps);
    }

    // Nothing keeps it from saying the same again and again, as a model of noise does that takes the likeliest.
    private static EngineRequest Loose(EngineRequest request) =>
        request with { Options = request.Options with { RepeatPenalty = 1, PresencePenalty = 0, FrequencyPenalty = 0 } };

    private static EngineRequest Constrained(string grammar, int tokens, ulong seed = 7)
    {
        EngineRequest request = Loose(EngineFixture.Sampled("hello", tokens, seed));
        return request with { Options = request.Options with { Grammar = grammar } };
    }

    private static Task<LoadedEngine> LoadAsync(GgufArchitecture architecture, EngineOptions options) =>
        EngineFixture.LoadAsync(TestModels.File(new GgufSpec { Architecture = architecture }), options, new TickingTime());

    private static async Task<List<(Answer Answer, long Steps)>> RunAsync(GgufArchitecture architecture, EngineOptions options, params EngineRequest[] requests)
    {
        await using LoadedEngine loaded = await LoadAsync(architecture, options);
        List<(Answer, long)> answers = [];
        foreach (EngineRequest request in requests)
        {
            long before = loaded.Engine.Steps;
            answers.Add((await AnswerAsync(loaded.Engine, request), loaded.Engine.Steps - before));
        }
        return answers;
    }

    private static async Task<Answer> AnswerAsync(IInferenceEngine engine, EngineRequest request)
    {
        (AttemptEnd end, CollectingSink sink) = await EngineFixture.RunAsync(engine, request);
        return new Answer(string.Join(' ', sink.Tokens), sink.Text, end.Reason, end.Error);
    }

    private sealed record Answer(string Tokens, string Text, EndReason Reason, string? Error);
}
