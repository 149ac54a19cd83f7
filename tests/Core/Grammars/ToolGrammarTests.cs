using System.Text;
using System.Text.Json;
using OllamaMax.Grammars;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Assembling;
using OllamaMax.TestKit.Grammars;

namespace OllamaMax.Core.Tests.Grammars;

public sealed class ToolGrammarTests
{
    private static readonly CallableTool Sum = new(
        "sum", JsonElement.Parse("""{"properties":{"a":{"$ref":"#/$defs/n"},"root":{"enum":["root"]}},"required":["a"],"additionalProperties":false,"$defs":{"n":{"type":"integer","minimum":1,"maximum":9}}}"""), IsStrict: true);

    private static readonly CallableTool Clock = new("clock-now", null, IsStrict: false);

    [Theory]
    [InlineData(ToolCallForm.Hermes, "<tool_call>\n{\"name\": \"sum\", \"arguments\": {\"a\":7}}\n</tool_call>", true)]
    [InlineData(ToolCallForm.Hermes, "<tool_call>\n{\"name\": \"sum\", \"arguments\": {\"a\":0}}\n</tool_call>", false)]
    [InlineData(ToolCallForm.Hermes, "<tool_call>\n{\"name\": \"sum\", \"arguments\": {}}\n</tool_call>", false)]
    [InlineData(ToolCallForm.Hermes, "<tool_call>\n{\"name\": \"none\", \"arguments\": {}}\n</tool_call>", false)]
    [InlineData(ToolCallForm.Hermes, "I could call it.", false)]
    [InlineData(ToolCallForm.Llama3, "{\"name\": \"clock-now\", \"parameters\": {\"any\": [1]}}; {\"name\": \"sum\", \"parameters\": {\"a\": 1, \"root\": \"root\"}}", true)]
    [InlineData(ToolCallForm.Mistral, "[TOOL_CALLS][{\"name\": \"sum\", \"arguments\": {\"a\": 1}}, {\"name\": \"clock-now\", \"arguments\": {}}]", true)]
    [InlineData(ToolCallForm.Harmony, "<|channel|>commentary to=functions.sum <|constrain|>json<|message|>{\"a\":7}", true)]
    [InlineData(ToolCallForm.Harmony, "<|channel|>commentary to=functions.sum <|constrain|>json<|message|>{\"a\":0}", false)]
    [InlineData(ToolCallForm.Harmony, "<|channel|>final<|message|>I could call it.", false)]
    public void TryWrite_Calls_AreInTheModelsFormWithArgumentsOfTheSchema(ToolCallForm form, string answer, bool isAllowed) =>
        GbnfMatcher.Matches(Write(form, [Sum, Clock]), answer).ShouldBe(isAllowed);

    [Theory]
    [InlineData(ToolCallForm.Hermes)]
    [InlineData(ToolCallForm.Llama3)]
    [InlineData(ToolCallForm.Mistral)]
    [InlineData(ToolCallForm.Harmony)]
    public void TryWrite_WhateverItLeadsTo_IsTakenApartAsCallsAndNothingElse(ToolCallForm form)
    {
        GbnfSampler sampler = new(Write(form, [Sum, Clock]), new Random(1));
        for (int i = 0; i < 50; i++)
        {
            string answer = sampler.Sample();
            Assembler assembler = new([], new OutputParsing { ToolCalls = form, Harmony = form == ToolCallForm.Harmony ? "" : null });
            Assembled all = assembler.Append(Encoding.UTF8.GetBytes(answer)) + assembler.Complete();
            (all.Text, all.Thinking).ShouldBe(("", ""), answer);
            all.ToolCalls.ShouldNotBeEmpty(answer);
            all.ToolCalls.ShouldAllBe(call => call.Name == "clock-now" || call.Arguments.GetProperty("a").GetInt32() >= 1);
        }
    }

    [Fact]
    public void TryWrite_Single_AllowsNoSecondCall()
    {
        const string once = "<tool_call>\n{\"name\": \"sum\", \"arguments\": {\"a\":7}}\n</tool_call>";

        GbnfMatcher.Matches(Write(ToolCallForm.Hermes, [Sum]), $"{once}\n{once}").ShouldBeTrue();
        GbnfMatcher.Matches(Write(ToolCallForm.Hermes, [Sum], isSingle: true), once).ShouldBeTrue();
        GbnfMatcher.Matches(Write(ToolCallForm.Hermes, [Sum], isSingle: true), $"{once}\n{once}").ShouldBeFalse();
    }

    [Theory]
    [InlineData("<tool_call>\n{\"name\": \"sum\", \"arguments\": {\"a\":7}}\n</tool_call>", true)]
    [InlineData("{\"b\":1}", true)]
    [InlineData("text", false)]
    public void TryWrite_OrAnAnswer_AllowsEither(string answer, bool isAllowed) =>
        GbnfMatcher.Matches(Write(ToolCallForm.Hermes, [Sum], answer: JsonGrammar.AnyObject), answer).ShouldBe(isAllowed);

    [Fact]
    public void TryWrite_SchemaThatNoGrammarSays_StrictIsRefusedTheOtherIsAnyObject()
    {
        CallableTool odd = new("odd", JsonElement.Parse("""{"type":"object","not":{}}"""), IsStrict: false);

        TryWrite(ToolCallForm.Hermes, [Sum, odd with { IsStrict = true }], false, null, out _, out string? failed, out SchemaError? error).ShouldBeFalse();
        failed.ShouldBe("odd");
        error!.ToString().ShouldContain("not");
        GbnfMatcher.Matches(Write(ToolCallForm.Hermes, [odd]), "<tool_call>\n{\"name\": \"odd\", \"arguments\": {\"x\":null}}\n</tool_call>").ShouldBeTrue();
    }

    private static string Write(ToolCallForm form, CallableTool[] tools, bool isSingle = false, string? answer = null)
    {
        TryWrite(form, tools, isSingle, answer, out string? grammar, out _, out SchemaError? error).ShouldBeTrue(error?.ToString());
        return grammar!;
    }

    private static bool TryWrite(
        ToolCallForm form, CallableTool[] tools, bool isSingle, string? answer, out string? grammar, out string? failed, out SchemaError? error) =>
        ToolGrammar.TryWrite(form, tools, isSingle, answer, out grammar, out failed, out error);
}
