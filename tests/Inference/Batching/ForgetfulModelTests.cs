using OllamaMax.Inference.Batching;
using OllamaMax.Inference.Native;
using OllamaMax.Jobs;
using OllamaMax.TestKit.Models;

namespace OllamaMax.Inference.Tests.Batching;

/// <summary>
/// Models that do not remember every token: a state knows only its sequence's end, a sliding window only the last tokens. What is known of a beginning
/// can be of no use then, and must never make a wrong answer.
/// </summary>
public sealed class ForgetfulModelTests
{
    private static readonly string s_system = EngineFixture.LongPrompt(60);

    private static readonly EngineOptions s_cold = EngineFixture.Exact with { CachedPrompts = 0 };

    public static TheoryData<GgufArchitecture> Architectures() => [GgufArchitecture.Gemma3, GgufArchitecture.Mamba, GgufArchitecture.Lfm2];

    [Theory]
    [MemberData(nameof(Architectures))]
    public async Task RunAsync_SharedBeginningAndTurns_AnswerAsColdOnes(GgufArchitecture architecture)
    {
        // The same, a longer one that goes on where the first ends, one that leaves it in the middle, one that is shorter, another one.
        string[] prompts = [s_system, s_system, s_system + " and so on", EngineFixture.LongPrompt(40) + " turn", EngineFixture.LongPrompt(20), "hello", s_system + " and", s_system];
        EngineRequest[] requests = [.. prompts.SelectMany(static prompt => (EngineRequest[])[EngineFixture.Greedy(prompt), EngineFixture.Sampled(prompt)])];
        List<int[]> cold = await AnswersAsync(architecture, s_cold, requests);

        (await AnswersAsync(architecture, EngineFixture.Exact, requests)).ShouldBe(cold);

        await using LoadedEngine warm = await EngineFixture.LoadAsync(Spec(architecture));
        (AttemptEnd End, CollectingSink Sink)[] together = await Task.WhenAll(requests.Select(request => EngineFixture.RunAsync(warm.Engine, request)));
        together.Select(static one => one.Sink.Tokens).ShouldBe(cold);
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public async Task RunAsync_ContinuedWhereItWas_ReadsNothingTwice(GgufArchitecture architecture)
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync(Spec(architecture));
        EngineRequest request = EngineFixture.Sampled(s_system, 40);
        int[] whole = (await EngineFixture.RunAsync(loaded.Engine, request)).Sink.Tokens;
        long before = loaded.Engine.Steps;

        // The last token was written but never read: what follows it was not asked for.
        (_, CollectingSink rest) = await EngineFixture.RunAsync(
            loaded.Engine, request with { ResumeTokens = whole, Options = request.Options with { NumPredict = 50 } });

        rest.FirstIndex.ShouldBe(40);
        rest.Tokens.Length.ShouldBe(10);
        (loaded.Engine.Steps - before).ShouldBe(10);
        (await AnswersAsync(architecture, s_cold, [request with { Options = request.Options with { NumPredict = 50 } }]))[0].ShouldBe([.. whole, .. rest.Tokens]);
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public async Task RunAsync_ResumedAnywhere_GoesOnAsIfUndisturbed(GgufArchitecture architecture)
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync(Spec(architecture));
        EngineRequest request = EngineFixture.Sampled(s_system, 60);
        int[] whole = (await EngineFixture.RunAsync(loaded.Engine, request)).Sink.Tokens;

        for (int cut = 0; cut < whole.Length; cut += 13)
            (await EngineFixture.RunAsync(loaded.Engine, request with { ResumeTokens = whole[..cut] })).Sink.Tokens.ShouldBe(whole[cut..]);
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public async Task RunAsync_ShiftedInCompany_SaysWhatItSaysAlone(GgufArchitecture architecture)
    {
        EngineRequest[] requests = [.. Enumerable.Range(0, 5).Select(static i => Shifting((ulong)i))];
        List<int[]> alone = await AnswersAsync(architecture, s_cold, requests);
        await using LoadedEngine loaded = await EngineFixture.LoadAsync(Spec(architecture));

        (AttemptEnd End, CollectingSink Sink)[] together = await Task.WhenAll(requests.Select(request => EngineFixture.RunAsync(loaded.Engine, request)));

        together.Select(static one => one.Sink.Tokens).ShouldBe(alone);
        static EngineRequest Shifting(ulong seed)
        {
            EngineRequest request = EngineFixture.Sampled("one two three", 150, seed);
            return request with { Options = request.Options with { NumCtx = 64, Shift = true } };
        }
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public async Task RunAsync_MemoryFullOfSharedBeginnings_AllComeToTheirEnd(GgufArchitecture architecture)
    {
        // Room for little more than the beginning that all share, and windows that cannot forget what others share.
        EngineOptions tight = EngineFixture.Exact with { TotalContext = 512 };
        EngineRequest[] requests = [.. Enumerable.Range(0, 6).Select(static i => EngineFixture.Sampled(s_system, 120, (ulong)i))];
        List<int[]> alone = await AnswersAsync(architecture, s_cold, requests);
        await using LoadedEngine loaded = await EngineFixture.LoadAsync(Spec(architecture), tight);

        (AttemptEnd End, CollectingSink Sink)[] together = await Task.WhenAll(requests.Select(request => EngineFixture.RunAsync(loaded.Engine, request)));

        together.Select(static one => one.Sink.Tokens).ShouldBe(alone);
    }

    [Fact]
    public void Check_OfEach_KnowsItsMemory()
    {
        ModelShape gemma = GgufCheck.Check(TestModels.File(Spec(GgufArchitecture.Gemma3)));
        (gemma.IsRecurrent, gemma.SlidingWindow, gemma.StateBytes).ShouldBe((false, 32, 0));
        ModelShape mamba = GgufCheck.Check(TestModels.File(Spec(GgufArchitecture.Mamba)));
        (mamba.IsRecurrent, mamba.SlidingWindow).ShouldBe((true, 0));
        mamba.CacheBytesPerToken(CacheType.F16, CacheType.F16).ShouldBe(0);
        // Two layers of 128 channels: three tokens for the convolution, a state of 16.
        mamba.StateBytes.ShouldBe(2 * 128 * (3 + 16) * sizeof(float));
        ModelShape lfm2 = GgufCheck.Check(TestModels.File(Spec(GgufArchitecture.Lfm2)));
        (lfm2.IsRecurrent, lfm2.SlidingWindow).ShouldBe((true, 0));
        // One of its two layers has two heads of 16 numbers; the other's two tokens are counted for both.
        lfm2.CacheBytesPerToken(CacheType.F16, CacheType.F16).ShouldBe(2 * 32 * 2);
        lfm2.StateBytes.ShouldBe(2 * 2 * 64 * sizeof(float));
    }

    private static GgufSpec Spec(GgufArchitecture architecture) => new() { Architecture = architecture };

    private static async Task<List<int[]>> AnswersAsync(GgufArchitecture architecture, EngineOptions options, IEnumerable<EngineRequest> requests)
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync(Spec(architecture), options);
        List<int[]> answers = [];
        foreach (EngineRequest request in requests)
        {
            (AttemptEnd end, CollectingSink sink) = await EngineFixture.RunAsync(loaded.Engine, request);
            end.Error.ShouldBeNull();
            answers.Add(sink.Tokens);
        }
        return answers;
    }
}
