using OllamaMax.Grammars;
using OllamaMax.TestKit.Grammars;

namespace OllamaMax.Core.Tests.Grammars;

public sealed class AddressedGrammarTests
{
    private static readonly string Answer = AddressedGrammar.InAnswer(JsonGrammar.AnyObject);

    [Theory]
    [InlineData(" to=user<|message|>{\"a\":1}", true)]
    [InlineData(" to=self<|message|>{\"a\":1}", false)]
    [InlineData("{\"a\":1}", false)]
    public void InAnswer_Answer_IsOfTheGrammar(string answer, bool isAllowed) => GbnfMatcher.Matches(Answer, answer).ShouldBe(isAllowed);

    [Theory]
    [InlineData(" to=user<|message|>{\"a\":1}", true)]
    [InlineData(" to=self<|message|>hm < {}<|eom|><|start|>assistant to=user<|message|>{\"a\":1}", true)]
    [InlineData(" to=self<|message|>hm<|eom|><|start|>assistant to=user<|message|>a", false)]
    [InlineData(" to=self<|message|>hm<|eom|>{\"a\":1}", false)]
    public void BehindThinking_Answer_MayHaveReasoningBeforeIt(string answer, bool isAllowed) =>
        GbnfMatcher.Matches(AddressedGrammar.BehindThinking(Answer), answer).ShouldBe(isAllowed);
}
