using OllamaMax.Inference.Batching;
using OllamaMax.Jobs;

namespace OllamaMax.Inference.Tests.Batching;

/// <summary>How jobs end.</summary>
public sealed class EngineEndTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(17)]
    public async Task RunAsync_NumPredict_IsTheAnswersLength(int tokens)
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync();

        (AttemptEnd end, CollectingSink sink) = await EngineFixture.RunAsync(loaded.Engine, EngineFixture.Greedy("hello", tokens));

        end.Reason.ShouldBe(EndReason.Length);
        sink.Tokens.Length.ShouldBe(tokens);
    }

    [Fact]
    public async Task RunAsync_NumPredictUnbounded_FillsTheContext()
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync();

        (AttemptEnd end, CollectingSink sink) = await EngineFixture.RunAsync(loaded.Engine, EngineFixture.Greedy("hello", -1));

        end.Reason.ShouldBe(EndReason.Length);
        (sink.Start!.PromptTokens + sink.Tokens.Length).ShouldBe(512);
    }

    [Fact]
    public async Task RunAsync_NumCtx_BoundsPromptAndAnswerTogether()
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync();
        EngineRequest request = EngineFixture.Greedy("hello", -1);
        request = request with { Options = request.Options with { NumCtx = 50 } };

        (AttemptEnd end, CollectingSink sink) = await EngineFixture.RunAsync(loaded.Engine, request);

        end.Reason.ShouldBe(EndReason.Length);
        (sink.Start!.PromptTokens + sink.Tokens.Length).ShouldBe(50);
    }

    [Fact]
    public async Task RunAsync_PromptLongerThanTheContext_IsInvalidAndNamesBothNumbers()
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync();
        EngineRequest request = EngineFixture.Greedy("hello hello hello");
        int tokens = (await EngineFixture.RunAsync(loaded.Engine, request)).Sink.Start!.PromptTokens;
        request = request with { Options = request.Options with { NumCtx = tokens - 1 } };

        (AttemptEnd end, CollectingSink sink) = await EngineFixture.RunAsync(loaded.Engine, request);

        end.Reason.ShouldBe(EndReason.Invalid);
        end.Error.ShouldBe($"the prompt has {tokens} tokens and exceeds the context length of {tokens - 1}");
        end.Excess.ShouldBe(new ContextExcess(tokens, tokens - 1));
        sink.Tokens.ShouldBeEmpty();
    }

    [Fact]
    public async Task RunAsync_PromptOfMegabytes_IsInvalidAtOnce()
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync();

        (AttemptEnd end, CollectingSink _) = await EngineFixture.RunAsync(loaded.Engine, EngineFixture.Greedy(new string('x', 50_000_000)));

        end.Reason.ShouldBe(EndReason.Invalid);
        end.Error!.ShouldContain("512");
    }

    [Fact]
    public async Task RunAsync_EmptyPrompt_IsInvalid()
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync();

        (AttemptEnd end, CollectingSink _) = await EngineFixture.RunAsync(loaded.Engine, EngineFixture.Greedy(""));

        end.Reason.ShouldBe(EndReason.Invalid);
        end.Error.ShouldBe("the prompt is empty");
    }

    public static TheoryData<InferenceOptions, string> WrongOptions() => new()
    {
        { new InferenceOptions { NumCtx = 0 }, "num_ctx" },
        { new InferenceOptions { Temperature = float.NaN }, "temperature" },
        { new InferenceOptions { Temperature = float.PositiveInfinity }, "temperature" },
        { new InferenceOptions { TopP = float.NaN }, "top_p" },
        { new InferenceOptions { TopP = float.PositiveInfinity }, "top_p" },
        { new InferenceOptions { MinP = float.NaN }, "min_p" },
        { new InferenceOptions { MinP = float.PositiveInfinity }, "min_p" },
        { new InferenceOptions { RepeatPenalty = 0 }, "repeat_penalty" },
        { new InferenceOptions { RepeatPenalty = float.MaxValue }, "repeat_penalty" },
        { new InferenceOptions { RepeatPenalty = float.Epsilon }, "repeat_penalty" },
        { new InferenceOptions { PresencePenalty = float.NaN }, "presence_penalty" },
        { new InferenceOptions { FrequencyPenalty = float.NegativeInfinity }, "frequency_penalty" },
        { new InferenceOptions { FrequencyPenalty = float.MaxValue }, "frequency_penalty" },
        { new InferenceOptions { PresencePenalty = float.MinValue }, "presence_penalty" },
        { new InferenceOptions { LogitBias = new Dictionary<int, float> { [512] = 1 } }, "logit_bias names token 512" },
    };

    [Theory]
    [MemberData(nameof(WrongOptions))]
    public async Task RunAsync_WrongOption_IsInvalidAndNamesIt(InferenceOptions options, string name)
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync();

        (AttemptEnd end, CollectingSink _) = await EngineFixture.RunAsync(loaded.Engine, EngineFixture.Greedy("hello") with { Options = options });

        end.Reason.ShouldBe(EndReason.Invalid);
        end.Error.ShouldStartWith(name);
    }

    public static TheoryData<InferenceOptions> ExtremeOptions() =>
    [
        new InferenceOptions { TopK = int.MaxValue },
        new InferenceOptions { TopK = int.MinValue },
        new InferenceOptions { TopK = 0, TopP = 1, MinP = 0 },
        new InferenceOptions { TopP = 0 },
        new InferenceOptions { TopP = -5 },
        new InferenceOptions { MinP = 1 },
        new InferenceOptions { MinP = float.MaxValue },
        new InferenceOptions { Temperature = float.MaxValue },
        new InferenceOptions { Temperature = float.Epsilon },
        new InferenceOptions { Temperature = -1 },
        new InferenceOptions { RepeatPenalty = 1e6f },
        new InferenceOptions { RepeatPenalty = 1e-6f },
        new InferenceOptions { RepeatLastN = int.MaxValue },
        new InferenceOptions { RepeatLastN = int.MinValue },
        new InferenceOptions { RepeatLastN = -1 },
        new InferenceOptions { FrequencyPenalty = 1e6f },
        new InferenceOptions { PresencePenalty = -1e6f },
        new InferenceOptions { TypicalP = 0 },
        new InferenceOptions { Mirostat = 1, MirostatTau = 0, MirostatEta = 100 },
        new InferenceOptions { Mirostat = 2, MirostatTau = 100, MirostatEta = 100 },
        new InferenceOptions { NumCtx = int.MaxValue },
    ];

    [Theory]
    [MemberData(nameof(ExtremeOptions))]
    public async Task RunAsync_ExtremeOption_EndsOneWayOrAnother(InferenceOptions options)
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync();

        (AttemptEnd end, CollectingSink _) = await EngineFixture.RunAsync(loaded.Engine, EngineFixture.Greedy("hello") with { Options = options with { NumPredict = 4 } });

        end.Reason.ShouldBeOneOf(EndReason.Length, EndReason.Failed, EndReason.Invalid);
        if (end.Reason != EndReason.Length)
            end.Error.ShouldNotBeNullOrEmpty();
        (await EngineFixture.RunAsync(loaded.Engine, EngineFixture.Greedy("hello", 3))).End.Reason.ShouldBe(EndReason.Length);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(512)]
    public async Task RunAsync_ResumeTokenOutsideTheVocabulary_IsInvalid(int token)
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync();

        (AttemptEnd end, CollectingSink _) = await EngineFixture.RunAsync(loaded.Engine, EngineFixture.Greedy("hello") with { ResumeTokens = [3, token] });

        end.Reason.ShouldBe(EndReason.Invalid);
        end.Error!.ShouldContain($"token {token}");
    }

    [Fact]
    public async Task RunAsync_Durations_AreOfTheJobItself()
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync();

        (AttemptEnd end, CollectingSink sink) = await EngineFixture.RunAsync(loaded.Engine, EngineFixture.Greedy(EngineFixture.LongPrompt(60), 50));

        sink.Start!.PromptTokens.ShouldBeGreaterThan(100);
        sink.Start.PromptDuration.ShouldBeGreaterThan(TimeSpan.Zero);
        end.EvalDuration.ShouldBeGreaterThan(TimeSpan.Zero);
        loaded.LoadDuration.ShouldBeGreaterThan(TimeSpan.Zero);
    }

    [Fact]
    public async Task RunAsync_SinkThatThrows_FailsItsJobAlone()
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync();
        CollectingSink broken = new() { OnToken = static _ => throw new InvalidOperationException("the sink is broken") };

        Task<AttemptEnd> failing = loaded.Engine.RunAsync(EngineFixture.Greedy("hello", 50), broken, TestContext.Current.CancellationToken).AsTask();
        (AttemptEnd other, CollectingSink _) = await EngineFixture.RunAsync(loaded.Engine, EngineFixture.Greedy("hello", 50));

        (await failing).Reason.ShouldBe(EndReason.Failed);
        (await failing).Error.ShouldBe("the sink is broken");
        other.Reason.ShouldBe(EndReason.Length);
    }

    [Fact]
    public async Task LoadAsync_WrongOptions_NamesAllOfThem()
    {
        EngineOptions wrong = EngineFixture.Exact with { Slots = 0, Threads = 0, ContextPerSlot = 0 };

        ArgumentException error = await Should.ThrowAsync<ArgumentException>(() => EngineFixture.LoadAsync(options: wrong));

        error.Message.ShouldContain("Slots");
        error.Message.ShouldContain("Threads");
        error.Message.ShouldContain("ContextPerSlot");
    }
}
