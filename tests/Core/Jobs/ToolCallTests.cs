using CsCheck;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Assembling;

namespace OllamaMax.Core.Tests.Jobs;

public sealed class ToolCallTests
{
    private const string F = """{"name":"f","arguments":{"a":1}}""";
    private const string G = """{"name": "g", "parameters": {"s": "}\"] </tool_call> ;"}}""";
    private const string FCall = """f{"a":1}""";
    private const string GCall = """g{"s": "}\"] </tool_call> ;"}""";

    [Theory]
    [InlineData($"<tool_call>\n{F}\n</tool_call>", "", FCall)]
    [InlineData($"Let me see.\n\n<tool_call>{F}</tool_call>\n<tool_call>\n{G}\n</tool_call>\n", "Let me see.", $"{FCall}|{GCall}")]
    [InlineData($"<tool_call>{F}", "", FCall)]
    [InlineData($"<tool_call>{F}<tool_call>{F}</tool_call>", "", $"{FCall}|{FCall}")]
    [InlineData($"<tool_call>{F}</tool_call> Done < it. ", "Done < it. ", FCall)]
    [InlineData("<tool_call>{\"name\":\"f\"}</tool_call>", "", "f{}")]
    [InlineData("<tool_call>{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":1}\"}</tool_call>", "", FCall)]
    [InlineData("<tool_call>{\"name\":1}</tool_call> x", "<tool_call>{\"name\":1}</tool_call> x", "")]
    [InlineData("<tool_call>{\"name\":\"f\",\"arguments\":[1]}", "<tool_call>{\"name\":\"f\",\"arguments\":[1]}", "")]
    [InlineData("<tool_call>{\"name\":\"\\ud800\"}", "<tool_call>{\"name\":\"\\ud800\"}", "")]
    [InlineData("<tool_call>{\"name\":\"f\",\"arguments\":{\"a\":\"\\ud800\"}}", "<tool_call>{\"name\":\"f\",\"arguments\":{\"a\":\"\\ud800\"}}", "")]
    [InlineData("<tool_call>{\"name\":'f'}</tool_call>", "<tool_call>{\"name\":'f'}</tool_call>", "")]
    [InlineData("a <tool_call>\nf(1)\n</tool_call>", "a <tool_call>\nf(1)\n</tool_call>", "")]
    [InlineData($"<tool_call>f<tool_call>{F}", "<tool_call>f", FCall)]
    [InlineData("a \n<tool_call>{\"name\":\"f\", ", "a \n<tool_call>{\"name\":\"f\", ", "")]
    [InlineData("if a <tool < b", "if a <tool < b", "")]
    [InlineData(F, F, "")]
    [InlineData(" x \n", " x \n", "")]
    public void Append_HermesForm_CallsAndTextApart(string answer, string text, string calls) =>
        Assembly.Of(Parsing(ToolCallForm.Hermes), answer).ShouldBe(new(text, "", calls));

    [Theory]
    [InlineData(G, "", GCall)]
    [InlineData($" <|python_tag|>{G}", "", GCall)]
    [InlineData($"{G}; {F}", "", $"{GCall}|{FCall}")]
    [InlineData($"<|python_tag|>{G};<|python_tag|>{F}\n{F}", "", $"{GCall}|{FCall}|{FCall}")]
    [InlineData("{\"type\": \"function\", \"name\":\"f\",\"parameters\":{}}", "", "f{}")]
    [InlineData($"{G} and so on", "and so on", GCall)]
    [InlineData($"{G}; no more", "; no more", GCall)]
    [InlineData($"I call {G}", $"I call {G}", "")]
    [InlineData("{\"name\":\"Bob\",\"age\":3}", "{\"name\":\"Bob\",\"age\":3}", "")]
    [InlineData("{\"city\":\"Oslo\"}", "{\"city\":\"Oslo\"}", "")]
    [InlineData("{}", "{}", "")]
    [InlineData(" <|python_tag|>print(1)", " <|python_tag|>print(1)", "")]
    [InlineData("<|pyth", "<|pyth", "")]
    public void Append_Llama3Form_CallsAndTextApart(string answer, string text, string calls) =>
        Assembly.Of(Parsing(ToolCallForm.Llama3), answer).ShouldBe(new(text, "", calls));

    [Theory]
    [InlineData($"[TOOL_CALLS] [{F}]", "", FCall)]
    [InlineData($"[TOOL_CALLS][{F}, {G}]\n", "", $"{FCall}|{GCall}")]
    [InlineData($"Sure. [TOOL_CALLS][{F}]Done", "Sure.Done", FCall)]
    [InlineData($"[{F}]", "", FCall)]
    [InlineData($"[TOOL_CALLS]{F}", "", FCall)]
    [InlineData("[TOOL_CALLS]f[ARGS]{\"a\":1}[TOOL_CALLS]f{\"a\":1}", "", $"{FCall}|{FCall}")]
    [InlineData($"x [{F}]", $"x [{F}]", "")]
    [InlineData("[{\"name\":\"Bob\"}]", "[{\"name\":\"Bob\"}]", "")]
    [InlineData("[{\"city\":1}]", "[{\"city\":1}]", "")]
    [InlineData("[1, 2]", "[1, 2]", "")]
    [InlineData("[TOOL_CALLS][]", "[TOOL_CALLS][]", "")]
    [InlineData("[TOOL_CALLS] f(1)", "[TOOL_CALLS] f(1)", "")]
    [InlineData($"[TOOL_CALLS][{F}, {{\"x\":1}}]", ", {\"x\":1}]", FCall)]
    [InlineData("[TOOL_CALLS][{\"name\":\"f\"", "[TOOL_CALLS][{\"name\":\"f\"", "")]
    [InlineData("[TOOL", "[TOOL", "")]
    public void Append_MistralForm_CallsAndTextApart(string answer, string text, string calls) =>
        Assembly.Of(Parsing(ToolCallForm.Mistral), answer).ShouldBe(new(text, "", calls));

    [Fact]
    public void Append_NoForm_CallsAreText() => Assembly.Of(OutputParsing.None, $"<tool_call>{F}</tool_call>").Text.ShouldContain("<tool_call>");

    [Fact]
    public void Append_Call_LeavesWithItsLastBrace()
    {
        Assembler assembler = new([], Parsing(ToolCallForm.Hermes));

        assembler.Append("One moment"u8).Text.ShouldBe("One moment");
        assembler.Append(", \n<tool_call>"u8).Text.ShouldBe(",");
        assembler.Append("{\"name\":\"f\",\"arguments\":{}"u8).IsEmpty.ShouldBeTrue();
        assembler.Append("}"u8).ToolCalls.ShouldHaveSingleItem().Name.ShouldBe("f");
        assembler.Append("</tool_call>"u8).IsEmpty.ShouldBeTrue();
        assembler.Complete().IsEmpty.ShouldBeTrue();
    }

    [Fact]
    public void Append_JsonThatIsNoCall_IsNotHeldToItsEnd()
    {
        Assembler assembler = new([], Parsing(ToolCallForm.Llama3));

        assembler.Append("{ \"ci"u8).Text.ShouldBe("{ \"ci");
        assembler.Append("ty\""u8).Text.ShouldBe("ty\"");
    }

    [Fact]
    public void Append_StopStringInsideACall_LeavesTheRestAsText() =>
        Assembly.Of(Parsing(ToolCallForm.Hermes), $"<tool_call>{F}</tool_call>", [], "arguments").ShouldBe(new("<tool_call>{\"name\":\"f\",\"", "", ""));

    [Fact]
    public void Append_ReasoningBeforeCalls_BothAreTakenApart()
    {
        OutputParsing parsing = new() { Thinking = new("<think>", "</think>", IsOpen: false), ToolCalls = ToolCallForm.Hermes };

        Assembly.Of(parsing, $"<think>\n<tool_call>{F}</tool_call>?\n</think>\n\n<tool_call>\n{F}\n</tool_call>")
            .ShouldBe(new("", $"<tool_call>{F}</tool_call>?\n", FCall));
    }

    [Fact]
    public void Append_SeveralCallsWhereOneIsWanted_TheFirstIsOne()
    {
        OutputParsing parsing = Parsing(ToolCallForm.Hermes) with { IsSingleCall = true };
        string answer = string.Concat(Enumerable.Repeat($"<tool_call>{F}</tool_call>", 3));

        Assembly.Of(parsing, answer).ShouldBe(new("", "", FCall));
        Assembly.Of(parsing, answer, [.. Enumerable.Repeat(1, answer.Length)]).ShouldBe(new("", "", FCall));
    }

    [Theory]
    [InlineData(ToolCallForm.Hermes)]
    [InlineData(ToolCallForm.Llama3)]
    [InlineData(ToolCallForm.Mistral)]
    public void Append_AnyAnswerCutAnywhere_SameAsAtOnce(ToolCallForm form)
    {
        Gen.Select(GenAnswer, Gen.Int[0, 9].Array[0, 60], Gen.Bool).Sample((answer, cuts, isThinking) =>
        {
            OutputParsing parsing = new() { ToolCalls = form, Thinking = isThinking ? new("<think>", "</think>", IsOpen: false) : null };
            Assembly whole = Assembly.Of(parsing, answer);
            Assembly.Of(parsing, answer, cuts).ShouldBe(whole);
            Assembly.Of(parsing, answer, [.. Enumerable.Repeat(1, 1000)]).ShouldBe(whole);
        });
    }

    [Theory]
    [InlineData(ToolCallForm.Hermes)]
    [InlineData(ToolCallForm.Llama3)]
    [InlineData(ToolCallForm.Mistral)]
    public void Append_AnyAnswerWithoutACall_IsTheTextItWas(ToolCallForm form)
    {
        Gen.Select(GenAnswer, Gen.Int[0, 9].Array[0, 60]).Sample((answer, cuts) =>
        {
            // Without a whole object there is no call, whatever stands around its pieces.
            string broken = answer.Replace("}", ")", StringComparison.Ordinal);
            Assembly.Of(Parsing(form), broken, cuts).ShouldBe(new(broken, "", ""));
        });
    }

    [Theory]
    [InlineData(ToolCallForm.Hermes)]
    [InlineData(ToolCallForm.Llama3)]
    [InlineData(ToolCallForm.Mistral)]
    public void Append_AnyAnswer_LosesNothingButMarkers(ToolCallForm form)
    {
        Gen.Select(GenAnswer, Gen.Int[0, 9].Array[0, 60]).Sample((answer, cuts) =>
        {
            Assembly assembly = Assembly.Of(Parsing(form), answer, cuts);
            int letters = assembly.Text.Count(c => c == '#') + assembly.Calls.Count(c => c == '#');
            letters.ShouldBe(answer.Count(c => c == '#'));
        });
    }

    private static OutputParsing Parsing(ToolCallForm form) => new() { ToolCalls = form };

    /// <summary>Pieces of calls, whole and broken, and text between them. '#' stands where nothing may be lost.</summary>
    private static readonly Gen<string> GenAnswer = Gen.OneOf(
        "<tool_call>", "</tool_call>", "<think>", "</think>", "<|python_tag|>", "[TOOL_CALLS]", "[ARGS]", "[", "]", ";", ",", "<", "{", "}", "\"", "\\", " ", "\n",
        "#", "é#😀", "f", """{"name":"#f","arguments":{"a":"#}"}}""", """{"name":"g#","parameters":{"a":[{"b":"#"}]}}""", """{"name":"#"}""", """{"city":"#"}""")
        .Array[0, 14].Select(string.Concat);
}
