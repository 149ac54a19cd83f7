using System.Text;
using CsCheck;
using OllamaMax.Inference.Native;
using OllamaMax.Inference.Native.Grammars;

namespace OllamaMax.Inference.Tests.Native.Grammars;

/// <summary>From characters to tokens.</summary>
public sealed class GrammarGuideTests
{
    private static readonly string[] s_pieces = ["", "a", "b", "ab", "aab", "b\"", "\"", "é", "éa", "]", "-", "\\", "€", "😀", "a😀", "😀b"];

    // Ends, then texts, then the bytes that characters fall apart into.
    private static readonly TokenTable s_tokens = new(
        s_pieces.Length + 256, static token => token < s_pieces.Length ? Encoding.UTF8.GetBytes(s_pieces[token]) : [(byte)(token - s_pieces.Length)], static token => token == 0);

    [Fact]
    public void Forbid_AnyGrammarAndAnswer_LeavesWhatIsAllowedOneByOne() =>
        Gen.Select(GrammarModel.Rules, Gen.Int[0, s_tokens.Size - 1].Array[0, 12]).Sample(static (rules, answer) =>
        {
            GrammarGuide guide = new(GrammarMatcherTests.Read(GrammarModel.Gbnf(rules)), s_tokens);
            for (int i = 0; i <= answer.Length; i++)
            {
                guide.BeginToken();
                bool[] allowed = [.. Enumerable.Range(0, s_tokens.Size).Select(guide.Allows)];
                float[] logits = new float[s_tokens.Size];
                if (Array.IndexOf(allowed, true) < 0)
                    Should.Throw<GrammarException>(() => guide.Forbid(logits));
                else
                    guide.Forbid(logits);

                logits.Select(static logit => logit == 0).ShouldBe(allowed);
                if (i < answer.Length)
                    guide.TryAccept(answer[i]).ShouldBe(answer[i] != 0 && allowed[answer[i]]);
            }
        }, iter: 300);

    [Fact]
    public void Allows_EndOfGeneration_OnlyWhereTheGrammarIsComplete()
    {
        GrammarGuide guide = new(GrammarMatcherTests.Read("root ::= \"ab\""), s_tokens);

        guide.Allows(0).ShouldBeFalse();
        guide.TryAccept(3).ShouldBeTrue();
        guide.Allows(0).ShouldBeTrue();
        Enumerable.Range(1, s_tokens.Size - 1).ShouldAllBe(token => !guide.Allows(token));
    }
}
