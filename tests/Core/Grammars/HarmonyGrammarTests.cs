using System.Text;
using OllamaMax.Grammars;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Assembling;
using OllamaMax.TestKit.Grammars;

namespace OllamaMax.Core.Tests.Grammars;

public sealed class HarmonyGrammarTests
{
    private static readonly string Answer = HarmonyGrammar.InFinal(JsonGrammar.AnyObject);

    [Theory]
    [InlineData("<|channel|>final<|message|>{\"a\": [\"root\"]}", true)]
    [InlineData("<|channel|>final <|constrain|>json<|message|>{}", true)]
    [InlineData("<|channel|>analysis<|message|>a {} <|en <|end|><|start|>assistant<|channel|>final<|message|>{}", true)]
    [InlineData("<|channel|>analysis<|message|><|end|><|start|>assistant<|channel|>final<|message|>{}", true)]
    [InlineData("{}", false)]
    [InlineData("<|channel|>final<|message|>Yes", false)]
    [InlineData("<|channel|>analysis<|message|>{}", false)]
    [InlineData("<|channel|>analysis<|message|>a<|end|>{}", false)]
    [InlineData("<|channel|>analysis<|message|>a<|end|>b<|end|><|start|>assistant<|channel|>final<|message|>{}", false)]
    public void BehindAnalysis_AnyReasoning_TheFinalChannelFollowsTheGrammar(string answer, bool isAllowed) =>
        GbnfMatcher.Matches(HarmonyGrammar.BehindAnalysis(Answer), answer).ShouldBe(isAllowed);

    [Fact]
    public void InFinal_WhateverItLeadsTo_IsTakenApartAsTextThatFollowsTheGrammar()
    {
        GbnfSampler sampler = new(Answer, new Random(1));
        for (int i = 0; i < 50; i++)
        {
            string answer = sampler.Sample();
            Assembler assembler = new([], new OutputParsing { Harmony = "" });
            Assembled all = assembler.Append(Encoding.UTF8.GetBytes(answer)) + assembler.Complete();
            GbnfMatcher.Matches(JsonGrammar.AnyObject, all.Text).ShouldBeTrue(answer);
            all.Thinking.ShouldBeEmpty();
        }
    }
}
