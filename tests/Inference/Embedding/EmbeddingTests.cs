using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using OllamaMax.Inference.Batching;
using OllamaMax.Inference.Native;
using OllamaMax.Inference.Tests.Batching;
using OllamaMax.Jobs;
using OllamaMax.TestKit.Models;

namespace OllamaMax.Inference.Tests.Embedding;

/// <summary>Vectors of texts, by models that write and by models that do not.</summary>
public sealed class EmbeddingTests
{
    private static readonly GgufSpec s_bert = new() { Architecture = GgufArchitecture.Bert, Vocabulary = GgufVocabularyKind.WordPiece, Context = 128 };

    private static readonly string[] s_texts = ["hello", "the quick brown fox", EngineFixture.LongPrompt(20), "a", "hello"];

    public static TheoryData<GgufArchitecture, int?> Models() => new()
    {
        { GgufArchitecture.Llama, null },
        { GgufArchitecture.Llama, 1 },
        { GgufArchitecture.Qwen2, 3 },
        { GgufArchitecture.Bert, null },
        { GgufArchitecture.Bert, 1 },
        { GgufArchitecture.Bert, 2 },
    };

    [Theory]
    [MemberData(nameof(Models))]
    public async Task EmbedAsync_ManyTexts_AreVectorsOfEachTextAlone(GgufArchitecture architecture, int? pooling)
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync(Spec(architecture, pooling));

        (AttemptEnd end, VectorSink together) = await EmbedAsync(loaded.Engine, s_texts);

        end.Reason.ShouldBe(EndReason.Stop);
        together.Vectors.Count.ShouldBe(s_texts.Length);
        for (int i = 0; i < s_texts.Length; i++)
        {
            float[] alone = (await EmbedAsync(loaded.Engine, s_texts[i])).Sink.Vectors[0];
            Cosine(together.Vectors[i], alone).ShouldBe(1, 1e-5);
        }
        Cosine(together.Vectors[0], together.Vectors[4]).ShouldBe(1, 1e-5);
        Cosine(together.Vectors[0], together.Vectors[1]).ShouldBeLessThan(0.999);
        together.Start!.PromptTokens.ShouldBe(together.Tokens.Sum());
    }

    [Fact]
    public async Task EmbedAsync_ManyTexts_ShareSteps()
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync(s_bert);

        (_, VectorSink sink) = await EmbedAsync(loaded.Engine, [.. Enumerable.Range(0, 40).Select(static i => $"text {i}")]);

        sink.Vectors.Count.ShouldBe(40);
        loaded.Engine.Steps.ShouldBeLessThan(5);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task EmbedAsync_TextOfSeveralPieces_IsTheVectorOfItsWhole(int pooling)
    {
        GgufSpec spec = EngineFixture.LongContext with { Pooling = pooling };
        EngineOptions options = EngineFixture.Exact with { ContextPerSlot = 2048 };
        await using LoadedEngine loaded = await EngineFixture.LoadAsync(spec, options);
        string text = EngineFixture.LongPrompt(100);

        (AttemptEnd _, VectorSink pieces) = await EmbedAsync(loaded.Engine, text, "short");

        pieces.Tokens[0].ShouldBeGreaterThan(512);
        float[] whole = Whole(spec, text);
        Cosine(pieces.Vectors[0], whole).ShouldBe(1, 1e-5);
    }

    [Fact]
    public async Task EmbedAsync_LongerThanTheContext_IsInvalidAndNamesBothNumbers()
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync(s_bert);

        (AttemptEnd end, VectorSink sink) = await EmbedAsync(loaded.Engine, "short", EngineFixture.LongPrompt(300));

        end.Reason.ShouldBe(EndReason.Invalid);
        end.Error!.ShouldStartWith("input 1 has ");
        end.Error!.ShouldEndWith("the input length exceeds the context length of 128");
        end.Excess.ShouldNotBeNull().ShouldSatisfyAllConditions(excess => excess.Context.ShouldBe(128), excess => excess.Tokens.ShouldBeGreaterThan(128));
        sink.Vectors.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(GgufArchitecture.Bert)]
    [InlineData(GgufArchitecture.Llama)]
    public async Task EmbedAsync_Truncate_CutsAtTheContext(GgufArchitecture architecture)
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync(Spec(architecture, pooling: 1) with { Context = 128 });

        (AttemptEnd end, VectorSink sink) = await EmbedAsync(
            loaded.Engine, new EmbedRequest { Inputs = [EngineFixture.LongPrompt(300), EngineFixture.LongPrompt(300_000)], Truncate = true });

        end.Error.ShouldBeNull();
        sink.Tokens.ShouldBe([128, 128]);
        Cosine(sink.Vectors[0], sink.Vectors[1]).ShouldBe(1, 1e-5);
    }

    /// <summary>What a request says of its context cuts its inputs there; where the tokens around a text leave no room for it, nothing is embedded.</summary>
    [Fact]
    public async Task EmbedAsync_ContextOfTheRequest_CutsThere()
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync(s_bert);

        (AttemptEnd cut, VectorSink sink) = await EmbedAsync(loaded.Engine, new EmbedRequest { Inputs = [EngineFixture.LongPrompt(300)], Context = 5, Truncate = true });
        (AttemptEnd refused, _) = await EmbedAsync(loaded.Engine, new EmbedRequest { Inputs = [EngineFixture.LongPrompt(300)], Context = 5 });
        (AttemptEnd none, _) = await EmbedAsync(loaded.Engine, new EmbedRequest { Inputs = [EngineFixture.LongPrompt(300)], Context = 2, Truncate = true });

        cut.Error.ShouldBeNull();
        sink.Tokens.ShouldBe([5]);
        refused.Error!.ShouldEndWith("exceeds the context length of 5");
        none.Error.ShouldBe("input 0: input after truncation exceeds maximum context length of 2");
        none.Reason.ShouldBe(EndReason.Invalid);
    }

    [Theory]
    [InlineData(GgufArchitecture.Bert, 514)]
    [InlineData(GgufArchitecture.Bert, 37)]
    [InlineData(GgufArchitecture.Qwen2, 100)]
    [InlineData(GgufArchitecture.Qwen2, 5)]
    public async Task EmbedAsync_ContextOfAnyLength_IsUsedWhole(GgufArchitecture architecture, int context)
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync(
            Spec(architecture, pooling: 1) with { Context = context }, EngineFixture.Exact with { ContextPerSlot = context });

        (AttemptEnd end, VectorSink sink) = await EmbedAsync(
            loaded.Engine, new EmbedRequest { Inputs = [EngineFixture.LongPrompt(300), "hello"], Truncate = true });

        end.Error.ShouldBeNull();
        sink.Tokens[0].ShouldBe(context);
        sink.Vectors.Count.ShouldBe(2);
    }

    [Fact]
    public async Task EmbedAsync_Skip_GoesOnAfterThem()
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync(s_bert);
        (_, VectorSink all) = await EmbedAsync(loaded.Engine, s_texts);

        (AttemptEnd end, VectorSink rest) = await EmbedAsync(loaded.Engine, new EmbedRequest { Inputs = s_texts, Skip = 3 });
        (AttemptEnd none, VectorSink nothing) = await EmbedAsync(loaded.Engine, new EmbedRequest { Inputs = s_texts, Skip = 5 });

        end.Reason.ShouldBe(EndReason.Stop);
        rest.FirstIndex.ShouldBe(3);
        rest.Vectors.Count.ShouldBe(2);
        Cosine(rest.Vectors[0], all.Vectors[3]).ShouldBe(1, 1e-5);
        rest.Start.ShouldNotBeNull().PromptTokens.ShouldBe(all.Start!.PromptTokens);
        none.Reason.ShouldBe(EndReason.Stop);
        nothing.Vectors.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(6)]
    public async Task EmbedAsync_SkipOfWhatIsNotThere_IsInvalid(int skip)
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync(s_bert);

        (await EmbedAsync(loaded.Engine, new EmbedRequest { Inputs = s_texts, Skip = skip })).End.Reason.ShouldBe(EndReason.Invalid);
    }

    [Fact]
    public async Task EmbedAsync_EmptyText_IsInvalidWhereNoTokenStandsForIt()
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync();

        (AttemptEnd end, _) = await EmbedAsync(loaded.Engine, "hello", "");

        end.Reason.ShouldBe(EndReason.Invalid);
        end.Error.ShouldBe("input 1 is empty");
    }

    [Fact]
    public async Task EmbedAsync_BesideAnswers_ChangesNone()
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync();
        int[] alone = (await EngineFixture.RunAsync(loaded.Engine, EngineFixture.Sampled("hello", 100))).Sink.Tokens;

        Task<(AttemptEnd End, CollectingSink Sink)> answer = EngineFixture.RunAsync(loaded.Engine, EngineFixture.Sampled("hello", 100));
        (AttemptEnd embedded, _) = await EmbedAsync(loaded.Engine, s_texts);

        (await answer).Sink.Tokens.ShouldBe(alone);
        embedded.Reason.ShouldBe(EndReason.Stop);
    }

    [Fact]
    public async Task EmbedAsync_Cancelled_EndsWithinOneStep()
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync(s_bert);
        using CancellationTokenSource cancel = new();
        long cancelledAt = 0;
        VectorSink sink = new()
        {
            OnVector = _ =>
            {
                cancel.Cancel();
                cancelledAt = loaded.Engine.Steps;
            },
        };

        AttemptEnd end = await loaded.Engine.EmbedAsync(
            new EmbedRequest { Inputs = [.. Enumerable.Repeat(EngineFixture.LongPrompt(5), 80)] }, sink, cancel.Token);

        end.Reason.ShouldBe(EndReason.Cancelled);
        loaded.Engine.Steps.ShouldBe(cancelledAt);
    }

    [Fact]
    public async Task EmbedAsync_SinkThatThrows_FailsItsJobAlone()
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync(s_bert);
        VectorSink broken = new() { OnVector = static _ => throw new InvalidOperationException("the sink is broken") };

        Task<AttemptEnd> failing = loaded.Engine.EmbedAsync(new EmbedRequest { Inputs = s_texts }, broken, TestContext.Current.CancellationToken).AsTask();
        (AttemptEnd other, VectorSink sink) = await EmbedAsync(loaded.Engine, s_texts);

        (await failing).Error.ShouldBe("the sink is broken");
        other.Reason.ShouldBe(EndReason.Stop);
        sink.Vectors.Count.ShouldBe(5);
    }

    [Fact]
    public async Task EmbedAsync_ModelThatRanks_IsInvalid()
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync(s_bert with { Pooling = 4 });

        (AttemptEnd end, _) = await EmbedAsync(loaded.Engine, "hello");

        end.Reason.ShouldBe(EndReason.Invalid);
    }

    [Fact]
    public async Task RunAsync_ModelThatEmbeds_IsInvalid()
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync(s_bert);

        (AttemptEnd end, _) = await EngineFixture.RunAsync(loaded.Engine, EngineFixture.Greedy("hello"));

        end.Reason.ShouldBe(EndReason.Invalid);
        end.Error.ShouldBe("the model makes embeddings; it does not write");
    }

    [Fact]
    public async Task EmbedAsync_NoMemoryForItsContext_FailsAloneAndIsTriedAgain()
    {
        CrampedModel model = new(TestModels.Load(TestModels.Tiny));
        INativeContext context = model.CreateContext(new() { Capacity = 512, Sequences = 4, BatchSize = 64, Threads = 1 });
        await using BatchingEngine engine = new(model, context, stage: null, slots: 4, contextPerSlot: 512, EngineFixture.Exact with { PrefixBytes = 0 }, TimeProvider.System, NullLoggerFactory.Instance);

        AttemptEnd[] failed = [(await EmbedAsync(engine, "hello")).End, (await EmbedAsync(engine, "hello")).End];
        (AttemptEnd answered, _) = await EngineFixture.RunAsync(engine, EngineFixture.Greedy("hello"));
        model.HasRoom = true;
        (AttemptEnd embedded, VectorSink sink) = await EmbedAsync(engine, "hello");

        failed.ShouldAllBe(end => end.Reason == EndReason.Failed && end.Error == CrampedModel.Error);
        answered.Reason.ShouldBe(EndReason.Length);
        embedded.Reason.ShouldBe(EndReason.Stop);
        sink.Vectors.Count.ShouldBe(1);
        engine.Broken.IsCompleted.ShouldBeFalse();
    }

    [Fact]
    public async Task EmbedAsync_AfterDispose_IsHandedBack()
    {
        LoadedEngine loaded = await EngineFixture.LoadAsync(s_bert);
        await EmbedAsync(loaded.Engine, "hello");
        await loaded.DisposeAsync();

        (await EmbedAsync(loaded.Engine, "hello")).End.Reason.ShouldBe(EndReason.HandedBack);
    }

    private static GgufSpec Spec(GgufArchitecture architecture, int? pooling) =>
        (architecture == GgufArchitecture.Bert ? s_bert : new GgufSpec { Architecture = architecture }) with { Pooling = pooling };

    private static Task<(AttemptEnd End, VectorSink Sink)> EmbedAsync(IInferenceEngine engine, params string[] texts) =>
        EmbedAsync(engine, new EmbedRequest { Inputs = texts });

    private static async Task<(AttemptEnd End, VectorSink Sink)> EmbedAsync(IInferenceEngine engine, EmbedRequest request)
    {
        VectorSink sink = new();
        AttemptEnd end = await engine.EmbedAsync(request, sink, TestContext.Current.CancellationToken);
        return (end, sink);
    }

    // By the library's own pooling, in one batch that holds all of it.
    private static float[] Whole(GgufSpec spec, string text)
    {
        using INativeModel model = TestModels.Load(spec);
        int[] tokens = model.Tokenize(Encoding.UTF8.GetBytes(text), addSpecial: true, parseSpecial: true);
        using INativeContext context = model.CreateContext(new ContextConfig
        {
            Capacity = 2048,
            Sequences = 1,
            BatchSize = 2048,
            Threads = 1,
            KeyType = CacheType.F32,
            ValueType = CacheType.F32,
            FlashAttention = FlashAttention.Off,
            Pooling = model.Shape.Pooling,
        });
        DecodeBatch batch = new(2048);
        for (int i = 0; i < tokens.Length; i++)
            batch.Add(tokens[i], i, 0, output: true);
        context.Decode(batch).ShouldBe(DecodeOutcome.Ok);
        return context.Embedding(0).ToArray();
    }

    private static double Cosine(float[] a, float[] b)
    {
        a.Length.ShouldBe(b.Length);
        double dot = 0, lengthA = 0, lengthB = 0;
        for (int i = 0; i < a.Length; i++)
        {
            dot += (double)a[i] * b[i];
            lengthA += (double)a[i] * a[i];
            lengthB += (double)b[i] * b[i];
        }
        return dot / Math.Sqrt(lengthA * lengthB);
    }
}
