using CsCheck;
using OllamaMax.Grammars;
using OllamaMax.Jobs;
using OllamaMax.TestKit.Grammars;

namespace OllamaMax.Core.Tests.Grammars;

public sealed class ThinkingGrammarTests
{
    private static readonly ThinkingTags Tags = new("<think>", "</think>", IsOpen: false);

    [Theory]
    [InlineData("{}", true)]
    [InlineData("\n\n{}", true)]
    [InlineData("<think>\nhm </thin> <<</think>\n\n{\"a\": [\"root\"]}", true)]
    [InlineData("<think></think>{}", true)]
    [InlineData("<think>{}", false)]
    [InlineData("<think>a</think>b</think>{}", false)]
    [InlineData("hm</think>{}", false)]
    [InlineData("<think>a</think>", false)]
    public void Before_ReasoningThatMayBe_TheAnswerFollowsTheGrammar(string answer, bool isAllowed) =>
        GbnfMatcher.Matches(ThinkingGrammar.Before(JsonGrammar.AnyObject, Tags), answer).ShouldBe(isAllowed);

    [Fact]
    public void Before_NamesInLiterals_StayAsTheyAre()
    {
        string grammar = ThinkingGrammar.Before("root ::= \"root \\\" root\" [root\\]] | root-2\nroot-2 ::= \"x\" root", Tags with { IsOpen = true });

        grammar.ShouldContain("::= \"root \\\" root\" [root\\]] | root-2\nroot-2 ::= \"x\" answer-behind-thinking");
        GbnfMatcher.Matches(grammar, "hm</think>xxroot \" root]").ShouldBeTrue();
    }

    [Fact]
    public void Before_NamesInComments_StayAsTheyAre() =>
        ThinkingGrammar.Before("root ::= \"x\" # root \"\n  | root", Tags).ShouldEndWith("answer-behind-thinking ::= \"x\" # root \"\n  | answer-behind-thinking");

    [Fact]
    public void Before_AnyReasoning_IsAllowedUpToTheFirstClosingTag()
    {
        Gen<string> part = Gen.OneOf("<", "/", "</", "t", "hink", "</think", "<think>", "a", "é😀", "\n", ">");
        string grammar = ThinkingGrammar.Before("root ::= \"{}\"", Tags with { IsOpen = true });
        part.Array[0, 12].Select(string.Concat).Sample(thinking =>
        {
            bool isClosedEarlier = (thinking + "</think>").IndexOf("</think>", StringComparison.Ordinal) < thinking.Length;
            GbnfMatcher.Matches(grammar, thinking + "</think>{}").ShouldBe(!isClosedEarlier);
        });
    }
}
