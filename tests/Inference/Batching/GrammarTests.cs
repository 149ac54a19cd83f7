using CsCheck;
using OllamaMax.Inference.Tests.Native.Grammars;
using OllamaMax.Jobs;
using OllamaMax.TestKit.Models;

namespace OllamaMax.Inference.Tests.Batching;

/// <summary>Answers that keep to a grammar, by models whose weights are noise: nothing but the grammar keeps them.</summary>
public sealed class GrammarTests
{
    private const string Json = """
        root ::= "{" pair ("," pair){0,3} "}"
        pair ::= string ":" (string | number | "true" | "[" number ("," number)? "]")
        string ::= "\"" [a-z]{1,6} "\""
        number ::= "0" | [1-9] [0-9]{0,2}
        """;

    [Theory]
    [InlineData(GgufArchitecture.Llama, GgufVocabularyKind.SentencePiece, false)]
    [InlineData(GgufArchitecture.Qwen2, GgufVocabularyKind.Bpe, true)]
    public async Task RunAsync_AnyGrammar_AnswersThatEndFollowIt(GgufArchitecture architecture, GgufVocabularyKind vocabulary, bool neverEnds)
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync(new GgufSpec { Architecture = architecture, Vocabulary = vocabulary, NeverEnds = neverEnds });
        int ended = 0;

        await Gen.Select(GrammarModel.Rules, Gen.ULong, Gen.Bool).SampleAsync(async (rules, seed, isGreedy) =>
        {
            string gbnf = GrammarModel.Gbnf(rules);
            EngineRequest request = Constrained(gbnf, seed, tokens: 30);
            if (isGreedy)
                request = request with { Options = request.Options with { Temperature = 0 } };

            (AttemptEnd end, CollectingSink sink) = await EngineFixture.RunAsync(loaded.Engine, request);

            if (end.Reason == EndReason.Stop)
            {
                Interlocked.Increment(ref ended);
                GrammarModel.Matches(rules, sink.Text).ShouldBeTrue($"{gbnf} with '{sink.Text}'");
            }
            else if (end.Reason != EndReason.Length)
            {
                // A rule that calls only itself has no text at all; one that calls itself thrice in a row soon has too many.
                end.Reason.ShouldBe(EndReason.Invalid);
                (end.Error is "the grammar cannot be followed here: none of the model's possible tokens fits" or "the grammar is too ambiguous: following it takes too long").ShouldBeTrue(end.Error);
            }
        }, iter: 150, threads: 2);

        ended.ShouldBeGreaterThan(30);
    }

    [Fact]
    public async Task RunAsync_Json_Parses()
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync();

        (AttemptEnd End, CollectingSink Sink)[] all = await Task.WhenAll(
            Enumerable.Range(0, 12).Select(seed => EngineFixture.RunAsync(loaded.Engine, Constrained(Json, (ulong)seed, tokens: 200))));

        foreach ((AttemptEnd end, CollectingSink sink) in all)
        {
            end.Reason.ShouldBe(EndReason.Stop);
            System.Text.Json.JsonDocument.Parse(sink.Text).Dispose();
        }
        all.Select(static one => one.Sink.Text).Distinct().Count().ShouldBeGreaterThan(6);
    }

    [Fact]
    public async Task RunAsync_CutAnywhereAndResumed_GoesOnAsIfUncut()
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync();
        EngineRequest request = Constrained(Json, seed: 3, tokens: 200);
        int[] whole = (await EngineFixture.RunAsync(loaded.Engine, request)).Sink.Tokens;

        for (int cut = 0; cut <= whole.Length; cut++)
        {
            (AttemptEnd end, CollectingSink rest) = await EngineFixture.RunAsync(loaded.Engine, request with { ResumeTokens = whole[..cut] });

            end.Reason.ShouldBe(EndReason.Stop);
            rest.Tokens.ShouldBe(whole[cut..]);
        }
    }

    [Fact]
    public async Task RunAsync_ResumedWithWhatTheGrammarRefuses_IsInvalid()
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync();
        int[] free = (await EngineFixture.RunAsync(loaded.Engine, EngineFixture.Greedy("hello", 1))).Sink.Tokens;

        (AttemptEnd end, CollectingSink _) = await EngineFixture.RunAsync(
            loaded.Engine, Constrained("root ::= [\\uFFF0]", seed: 1, tokens: 9) with { ResumeTokens = free });

        end.Reason.ShouldBe(EndReason.Invalid);
        end.Error.ShouldBe($"the answer so far does not follow the grammar: token 0 of it is {free[0]}");
    }

    [Fact]
    public async Task RunAsync_WrongGrammar_IsInvalidAndSaysWhere()
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync();

        (AttemptEnd end, CollectingSink _) = await EngineFixture.RunAsync(loaded.Engine, Constrained("root ::= \"a", seed: 1, tokens: 9));

        end.Reason.ShouldBe(EndReason.Invalid);
        end.Error.ShouldBe("the grammar is wrong at line 1, column 12: the end comes too early");
    }

    [Fact]
    public async Task RunAsync_GrammarTooAmbiguous_EndsItsJobAlone()
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync();
        string bomb = "root ::= root root root | root root | [a-z ] | \"\"";

        Task<(AttemptEnd End, CollectingSink Sink)> bombed = EngineFixture.RunAsync(loaded.Engine, Constrained(bomb, seed: 1, tokens: 400));
        (AttemptEnd other, CollectingSink _) = await EngineFixture.RunAsync(loaded.Engine, EngineFixture.Greedy("hello", 50));

        (await bombed).End.Reason.ShouldBe(EndReason.Invalid);
        (await bombed).End.Error!.ShouldContain("too ambiguous");
        other.Reason.ShouldBe(EndReason.Length);
    }

    [Fact]
    public async Task RunAsync_CharacterOfSeveralTokens_IsWhole()
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync();

        (AttemptEnd end, CollectingSink sink) = await EngineFixture.RunAsync(loaded.Engine, Constrained("root ::= [\\U0001F600-\\U0001F64F]{3}", seed: 1, tokens: 50));

        end.Reason.ShouldBe(EndReason.Stop);
        sink.Tokens.Length.ShouldBeGreaterThan(3);
        sink.Text.EnumerateRunes().Select(static rune => rune.Value).ShouldAllBe(static rune => rune >= 0x1F600 && rune <= 0x1F64F);
        sink.Text.EnumerateRunes().Count().ShouldBe(3);
    }

    private static EngineRequest Constrained(string gbnf, ulong seed, int tokens)
    {
        EngineRequest request = EngineFixture.Sampled("hello", tokens, seed);
        return request with { Options = request.Options with { Grammar = gbnf } };
    }
}
