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
    [InlineData(ToolCallForm.MistralNamed, "[TOOL_CALLS]sum[ARGS]{\"a\": 1}[TOOL_CALLS]clock-now[ARGS]{}", true)]
    [InlineData(ToolCallForm.MistralNamed, "[TOOL_CALLS][{\"name\": \"sum\", \"arguments\": {\"a\": 1}}]", false)]
    [InlineData(ToolCallForm.MistralIdentified, "[TOOL_CALLS]sum[CALL_ID]abCD12345[ARGS]{\"a\": 1}", true)]
    [InlineData(ToolCallForm.Functions, "<tool_call>\n<function=sum>\n<parameter=a>\n7\n</parameter>\n</function>\n</tool_call>\n<tool_call>\n<function=clock-now>\n</function>\n</tool_call>", true)]
    [InlineData(ToolCallForm.Functions, "<tool_call>\n<function=sum>\n<parameter=a>\n0\n</parameter>\n</function>\n</tool_call>", false)]
    [InlineData(ToolCallForm.Functions, "<tool_call>\n<function=sum>\n</function>\n</tool_call>", false)]
    [InlineData(ToolCallForm.Glm, "<tool_call>sum\n<arg_key>a</arg_key>\n<arg_value>7</arg_value>\n<arg_key>root</arg_key>\n<arg_value>root</arg_value>\n</tool_call>", true)]
    [InlineData(ToolCallForm.Glm, "<tool_call>sum<arg_key>a</arg_key><arg_value>7</arg_value></tool_call><tool_call>sum<arg_key>a</arg_key><arg_value>1</arg_value></tool_call>", true)]
    [InlineData(ToolCallForm.Glm, "<tool_call>sum<arg_key>a</arg_key><arg_value>7</arg_value><arg_key>root</arg_key><arg_value>leaf</arg_value></tool_call>", false)]
    [InlineData(ToolCallForm.Dsml, "<｜DSML｜function_calls>\n<｜DSML｜invoke name=\"sum\">\n<｜DSML｜parameter name=\"a\" string=\"false\">7</｜DSML｜parameter>\n</｜DSML｜invoke>\n</｜DSML｜function_calls>", true)]
    [InlineData(ToolCallForm.DeepSeek, "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>sum<｜tool▁sep｜>{\"a\": 1}<｜tool▁call▁end｜><｜tool▁calls▁end｜>", true)]
    [InlineData(ToolCallForm.Kimi, "<|tool_calls_section_begin|><|tool_call_begin|>functions.sum:0<|tool_call_argument_begin|>{\"a\": 1}<|tool_call_end|><|tool_calls_section_end|>", true)]
    [InlineData(ToolCallForm.Granite, "<|tool_call|>[{\"name\": \"sum\", \"arguments\": {\"a\": 1}}, {\"name\": \"clock-now\", \"arguments\": {}}]", true)]
    [InlineData(ToolCallForm.Apriel, "<tool_calls>[{\"name\": \"sum\", \"arguments\": {\"a\": 1}}, {\"name\": \"clock-now\", \"arguments\": {}}]</tool_calls>", true)]
    [InlineData(ToolCallForm.Nemotron2, "<TOOLCALL>[{\"name\": \"sum\", \"arguments\": {\"a\": 0}}]</TOOLCALL>", false)]
    [InlineData(ToolCallForm.Command, "<|START_ACTION|>[{\"tool_call_id\": \"0\", \"tool_name\": \"sum\", \"parameters\": {\"a\": 1}}]<|END_ACTION|>", true)]
    public void TryWrite_Calls_AreInTheModelsFormWithArgumentsOfTheSchema(ToolCallForm form, string answer, bool isAllowed) =>
        GbnfMatcher.Matches(Write(form, [Sum, Clock]), answer).ShouldBe(isAllowed);

    [Theory]
    [InlineData(ToolCallForm.Hermes)]
    [InlineData(ToolCallForm.Llama3)]
    [InlineData(ToolCallForm.Mistral)]
    [InlineData(ToolCallForm.Harmony)]
    [InlineData(ToolCallForm.MistralNamed)]
    [InlineData(ToolCallForm.MistralIdentified)]
    [InlineData(ToolCallForm.Functions)]
    [InlineData(ToolCallForm.SeedOss)]
    [InlineData(ToolCallForm.Glm)]
    [InlineData(ToolCallForm.MiniMax)]
    [InlineData(ToolCallForm.DeepSeek)]
    [InlineData(ToolCallForm.DeepSeekFenced)]
    [InlineData(ToolCallForm.Dsml)]
    [InlineData(ToolCallForm.DsmlTools)]
    [InlineData(ToolCallForm.Kimi)]
    [InlineData(ToolCallForm.Granite)]
    [InlineData(ToolCallForm.Command)]
    [InlineData(ToolCallForm.Apriel)]
    [InlineData(ToolCallForm.Nemotron2)]
    public void TryWrite_WhateverItLeadsTo_IsTakenApartAsCallsAndNothingElse(ToolCallForm form)
    {
        GbnfSampler sampler = new(Write(form, [Sum, Clock]), new Random(1));
        for (int i = 0; i < 50; i++)
        {
            string answer = sampler.Sample();
            OutputParsing parsing = new()
            {
                ToolCalls = form,
                Arguments = ToolArguments.Of(form, [Sum, Clock]),
                Harmony = form == ToolCallForm.Harmony ? "" : null,
            };
            Assembler assembler = new([], parsing);
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

    [Theory]
    [InlineData(ToolCallForm.None, false)]
    [InlineData(ToolCallForm.Hermes, true)]
    [InlineData(ToolCallForm.Functions, true)]
    [InlineData(ToolCallForm.Gemma4, false)]
    [InlineData(ToolCallForm.Lfm2, false)]
    public void CanWrite_Form_AllButLiteralsOfTheModelsOwn(ToolCallForm form, bool can) => ToolGrammar.CanWrite(form).ShouldBe(can);

    [Theory]
    [InlineData("any < text\n", true)]
    [InlineData("</parameter><parameter=o>\nno", false)]
    public void TryWrite_TextWithoutQuotes_IsAnyUpToItsTag(string text, bool isAllowed)
    {
        CallableTool say = new("say", JsonElement.Parse("""{"type":"object","properties":{"s":{"type":"string"}},"required":["s"]}"""), IsStrict: true);

        GbnfMatcher.Matches(Write(ToolCallForm.Functions, [say]), $"<tool_call>\n<function=say>\n<parameter=s>\n{text}\n</parameter>\n</function>\n</tool_call>").ShouldBe(isAllowed);
    }

    [Fact]
    public void TryWrite_PatternOfATextWithoutQuotes_StrictIsRefusedTheOtherIsAnyText()
    {
        CallableTool say = new("say", JsonElement.Parse("""{"type":"object","properties":{"s":{"type":"string","pattern":"^a$"},"o":{"type":"object","not":{}}}}"""), IsStrict: false);

        TryWrite(ToolCallForm.Functions, [say with { IsStrict = true }], false, null, out _, out string? failed, out SchemaError? error).ShouldBeFalse();
        (failed, error!.Keyword).ShouldBe(("say", "pattern"));
        GbnfMatcher.Matches(
            Write(ToolCallForm.Functions, [say]),
            "<tool_call>\n<function=say>\n<parameter=s>\nb\n</parameter>\n<parameter=o>\n[1]\n</parameter>\n</function>\n</tool_call>").ShouldBeTrue();
    }

    [Theory]
    [InlineData("""{"$ref":"#/$defs/c"}""")]
    [InlineData("""{"description":"Which","allOf":[{"$ref":"#/$defs/c"}],"default":"red"}""")]
    [InlineData("""{"$ref":"#/$defs/d"}""")]
    public void TryWrite_EnumOfATextBehindAReference_IsKept(string color)
    {
        string grammar = Write(ToolCallForm.Functions, [Paint(color)]);

        GbnfMatcher.Matches(grammar, Painted("red")).ShouldBeTrue();
        GbnfMatcher.Matches(grammar, Painted("blue")).ShouldBeFalse();
    }

    [Theory]
    [InlineData("""{"$ref":"#/$defs/c","minLength":1}""", "$ref")]
    [InlineData("""{"anyOf":[{"$ref":"#/$defs/c"},{"const":"grey"}]}""", "anyOf")]
    [InlineData("""{"allOf":[{"$ref":"#/$defs/c"},{"minLength":1}]}""", "allOf")]
    public void TryWrite_TextOfSeveralSchemas_StrictIsRefusedTheOtherIsAnyText(string color, string keyword)
    {
        CallableTool paint = Paint(color);

        TryWrite(ToolCallForm.Functions, [paint], false, null, out _, out _, out SchemaError? error).ShouldBeFalse();
        error!.Keyword.ShouldBe(keyword);
        GbnfMatcher.Matches(Write(ToolCallForm.Functions, [paint with { IsStrict = false }]), Painted("blue")).ShouldBeTrue();
    }

    [Theory]
    [InlineData(ToolCallForm.Hermes, "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\":7}}\n</tool_call>")]
    [InlineData(ToolCallForm.Functions, "<tool_call>\n<function=f>\n<parameter=a>\n7\n</parameter>\n</function>\n</tool_call>")]
    public void TryWrite_SchemaWithAFieldTwice_TheLastOneCounts(ToolCallForm form, string call)
    {
        CallableTool tool = new("f", JsonElement.Parse("""{"type":"object","properties":{"a":true,"a":{"type":"string","type":"integer"}},"required":["a"]}"""), IsStrict: false);
        string grammar = Write(form, [tool]);

        GbnfMatcher.Matches(grammar, call).ShouldBeTrue();
        GbnfMatcher.Matches(grammar, call.Replace("7", "x", StringComparison.Ordinal)).ShouldBeFalse();
    }

    private static CallableTool Paint(string color) => new(
        "paint",
        JsonElement.Parse($$"""{"type":"object","properties":{"c":{{color}} },"required":["c"],"$defs":{"c":{"type":"string","enum":["red","green"],"title":"Color"},"d":{"$ref":"#/$defs/c"} } }"""),
        IsStrict: true);

    private static string Painted(string color) => $"<tool_call>\n<function=paint>\n<parameter=c>\n{color}\n</parameter>\n</function>\n</tool_call>";

    private static string Write(ToolCallForm form, CallableTool[] tools, bool isSingle = false, string? answer = null)
    {
        TryWrite(form, tools, isSingle, answer, out string? grammar, out _, out SchemaError? error).ShouldBeTrue(error?.ToString());
        return grammar!;
    }

    private static bool TryWrite(
        ToolCallForm form, CallableTool[] tools, bool isSingle, string? answer, out string? grammar, out string? failed, out SchemaError? error) =>
        ToolGrammar.TryWrite(form, tools, isSingle, answer, out grammar, out failed, out error);
}
