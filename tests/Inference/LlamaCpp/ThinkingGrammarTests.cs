using System.Text;
using OllamaMax.Grammars;
using OllamaMax.Inference.Native;
using OllamaMax.Jobs;

namespace OllamaMax.Inference.Tests.LlamaCpp;

public sealed class ThinkingGrammarTests
{
    [Theory]
    [InlineData("<think>a</think>\n{}", true)]
    [InlineData("{}", true)]
    [InlineData("<think>a</thin", false)]
    public void Before_AnyObject_LlamaCppFollowsIt(string answer, bool isWhole) =>
        CheckFollowed(ThinkingGrammar.Before(JsonGrammar.AnyObject, new ThinkingTags("<think>", "</think>", IsOpen: false)), answer, isWhole);

    [Theory]
    [InlineData("<|channel|>analysis<|message|>a <|e<|end|><|start|>assistant<|channel|>final <|constrain|>json<|message|>{}", true)]
    [InlineData("<|channel|>final<|message|>{}", true)]
    [InlineData("<|channel|>analysis<|message|>a<|end|>", false)]
    public void BehindAnalysis_AnyObject_LlamaCppFollowsIt(string answer, bool isWhole) =>
        CheckFollowed(HarmonyGrammar.BehindAnalysis(HarmonyGrammar.InFinal(JsonGrammar.AnyObject)), answer, isWhole);

    private static void CheckFollowed(string gbnf, string answer, bool isWhole)
    {
        using INativeModel model = TestModels.Load(TestModels.Tiny);
        using LlamaGrammarOracle oracle = new(TestModels.File(TestModels.Tiny), gbnf);

        foreach (byte letter in Encoding.UTF8.GetBytes(answer))
        {
            int token = Enumerable.Range(0, model.VocabularySize).First(token => model.Piece(token).Span is [var only] && only == letter);
            oracle.Allowed(model.VocabularySize).ShouldContain(token);
            oracle.Accept(token);
        }
        oracle.Allowed(model.VocabularySize).Any(model.IsEndOfGeneration).ShouldBe(isWhole);
    }
}
