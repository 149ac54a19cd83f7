using OllamaMax.Inference.Native;
using OllamaMax.Inference.Native.Grammars;
using OllamaMax.Inference.Tests.Native.Grammars;

namespace OllamaMax.Inference.Tests.LlamaCpp;

/// <summary>What GBNF means is for llama.cpp to say.</summary>
public sealed class LlamaGrammarTests
{
    [Theory]
    [InlineData("root ::= object\nobject ::= \"{\" ws (pair (\",\" ws pair)*)? \"}\"\npair ::= string \":\" ws value\nvalue ::= object | string | [0-9]+ | \"true\" | \"null\"\nstring ::= \"\\\"\" ([^\"\\\\\\x7F\\x00-\\x1F] | \"\\\\\" [\"\\\\bfnrt])* \"\\\"\"\nws ::= [ \\n]{0,3}")]
    [InlineData("root ::= (expr \"=\" term \"\\n\")+\nexpr ::= term ([-+*/] term)*\nterm ::= [a-z] [a-z0-9]* ws | num ws | \"(\" ws expr \")\" ws\nnum ::= [0-9]{1,5}\nws ::= [ \\t\\n]*")]
    [InlineData("root ::= \"yes\" | \"no\" | \"maybe\" | \"é\" [^a-z]? \"😀\"")]
    [InlineData("root ::= (\"a\" | \"the\" | .)+ \"x\"")]
    public void Forbid_WithAWholeVocabulary_AgreesWithLlamaCpp(string gbnf)
    {
        using LlamaGrammarOracle oracle = new(TestModels.File(TestModels.Tiny), gbnf);
        using INativeModel model = TestModels.Load(TestModels.Tiny);
        TokenTable table = new(model.VocabularySize, token => model.Piece(token).ToArray(), model.IsEndOfGeneration);
        GrammarGuide guide = new(GrammarMatcherTests.Read(gbnf), table);

        for (int step = 0; step < 60; step++)
        {
            float[] ours = new float[table.Size];
            guide.Forbid(ours);
            int[] allowed = [.. Enumerable.Range(0, table.Size).Where(token => ours[token] == 0)];
            // llama.cpp takes bytes for a character that are none (C0 80, surrogates): those it allows beside are looked at no further.
            // A text of C's has no NUL in it.
            allowed.Where(token => table.Piece(token).IsEmpty || table.Piece(token).Span[0] != 0).ShouldBe(oracle.Allowed(table.Size).Where(token => guide.Allows(token)));
            oracle.Allowed(table.Size).Except(allowed).Where(token => !table.Piece(token).Span.ContainsAnyInRange((byte)0x80, (byte)0xFF)).ShouldBeEmpty();

            int[] goesOn = [.. allowed.Where(token => !table.IsEndOfGeneration(token))];
            if (goesOn.Length == 0)
                return;
            int next = goesOn[(int)(SeededDraw.Uniform(5, step) * goesOn.Length)];
            guide.TryAccept(next).ShouldBeTrue();
            oracle.Accept(next);
        }
    }
}
