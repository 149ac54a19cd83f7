using System.Text;
using CsCheck;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Assembling;

namespace OllamaMax.Core.Tests.Jobs;

/// <summary>Answers as gpt-oss writes them: those of OpenAI's description of the form, and what others have seen of it.</summary>
public sealed class HarmonyTests
{
    private const string Analysis = "<|channel|>analysis<|message|>I'm\nthinking<|end|>";
    private const string Thought = "I'm\nthinking";
    private const string Final = "<|start|>assistant<|channel|>final<|message|>";
    private const string ToF = "<|channel|>commentary to=functions.f <|constrain|>json<|message|>";
    private const string F = """f{"a": 1}""";

    private static readonly OutputParsing Harmony = new() { Harmony = "", ToolCalls = ToolCallForm.Harmony };

    [Theory]
    [InlineData("<|channel|>final<|message|>Hello\nthere", "Hello\nthere", "")]
    [InlineData($"{Analysis}{Final}Hello", "Hello", Thought)]
    [InlineData($"{Analysis}{Final}Hello<|return|>", "Hello", Thought)]
    [InlineData($"{Analysis}<|start|>assistant<|channel|>final <|constrain|>json<|message|>{{\"a\":1}}", "{\"a\":1}", Thought)]
    [InlineData($"<|start|>assistant{Analysis}{Final}Hello", "Hello", Thought)]
    [InlineData($"{Analysis}{Analysis}{Final}Hello", "Hello", $"{Thought}{Thought}")]
    [InlineData("<|channel|>commentary<|message|>I look it up.<|end|>", "I look it up.", "")]
    [InlineData("<|message|>Hello", "Hello", "")]
    [InlineData("<|channel|>analysis<|message|>hm", "", "hm")]
    [InlineData("<|channel|>analysis<|message|>a <| b <|en", "", "a <| b <|en")]
    public void Append_Channels_ReasoningAndAnswerApart(string answer, string text, string thinking) =>
        Assembly.Of(Harmony, answer).ShouldBe(new(text, thinking, ""));

    [Theory]
    [InlineData($"{Analysis}<|start|>assistant{ToF}{{\"a\": 1}}<|call|>", "", Thought)]
    [InlineData($"{Analysis}<|start|>assistant{ToF} {{\"a\": 1}}\n", "", Thought)]
    [InlineData($"{Analysis}<|start|>assistant to=functions.f<|channel|>commentary json<|message|>{{\"a\": 1}}", "", Thought)]
    [InlineData(" to=functions.f<|channel|>analysis<|message|>{\"a\": 1}", "", "")]
    [InlineData("<|channel|>commentary to=f<|constrain|>json<|message|>{\"a\": 1}", "", "")]
    [InlineData($"<|channel|>commentary<|message|>I look it up.<|end|><|start|>assistant{ToF}{{\"a\": 1}}", "I look it up.", "")]
    public void Append_MessageToAFunction_IsACall(string answer, string text, string thinking) =>
        Assembly.Of(Harmony, answer).ShouldBe(new(text, thinking, F));

    [Theory]
    [InlineData($"{ToF}<|call|>", "f{}")]
    [InlineData($"{ToF}{{\"s\":\"<|end|>}}\"}}<|call|>", "f{\"s\":\"<|end|>}\"}")]
    [InlineData("<|channel|>commentary to=functions.get-it.x<|message|>{}", "get-it.x{}")]
    public void Append_Arguments_AreWhatStandsThere(string answer, string calls) => Assembly.Of(Harmony, answer).ShouldBe(new("", "", calls));

    [Theory]
    [InlineData($"<|channel|>commentary to=assistant{Analysis}{Final}Hello")]
    [InlineData($"{Analysis}<|start|>assistant<|channel|>commentary to=assistant<|channel|>final<|message|>Hello")]
    [InlineData("<|channel|>analysis<|message|>I'm\nthinking<|channel|>final<|message|>Hello")]
    [InlineData($"<|channel|>analysis<|message|>I'm\nthinking{Final}Hello")]
    [InlineData($"{Analysis}\n<|channel|>final<|message|>Hello")]
    [InlineData($"{Analysis}\nHello")]
    public void Append_FormNotKept_IsUnderstood(string answer) => Assembly.Of(Harmony, answer).ShouldBe(new("Hello", Thought, ""));

    [Theory]
    [InlineData("Hello < there", "Hello < there")]
    [InlineData(" to", " to")]
    [InlineData("<", "<")]
    [InlineData("tomorrow", "tomorrow")]
    [InlineData("<|channel|>final<|message|>The mark `<|channel|>` names it, <|start|>\nbegins.", "The mark `<|channel|>` names it, <|start|>\nbegins.")]
    [InlineData("<|channel|>commentary to=python <|constrain|>code<|message|>print(1)", "print(1)")]
    [InlineData($"{ToF}{{\"a\": <|end|>{Final}Hello", "{\"a\": Hello")]
    [InlineData($"{ToF}{{\"a\": \\1}} x", "{\"a\": \\1} x")]
    [InlineData($"{ToF}{{\"a\": 1", "{\"a\": 1")]
    public void Append_NeitherHeaderNorCall_IsText(string answer, string text) => Assembly.Of(Harmony, answer).ShouldBe(new(text, "", ""));

    [Fact]
    public void Append_NoTools_CallsAreText() =>
        Assembly.Of(Harmony with { ToolCalls = ToolCallForm.None }, $"{Analysis}<|start|>assistant{ToF}{{\"a\": 1}}").ShouldBe(new("{\"a\": 1}", Thought, ""));

    [Theory]
    [InlineData($"{Analysis}<|start|>assi", "", Thought)]
    [InlineData("<|chan", "", "")]
    public void Append_CutOffInAHeader_LeavesNoMarks(string answer, string text, string thinking) =>
        Assembly.Of(Harmony, answer).ShouldBe(new(text, thinking, ""));

    [Theory]
    [InlineData("<|channel|>final<|message|>", "Hello", "Hello", "")]
    [InlineData("<|channel|>analysis<|message|>", $"hm<|end|>{Final}Hello", "Hello", "hm")]
    [InlineData("<|channel|>", "final<|message|>Hello", "Hello", "")]
    public void Append_HeaderBegunByThePrompt_GoesOnThere(string begun, string answer, string text, string thinking) =>
        Assembly.Of(Harmony with { Harmony = begun }, answer).ShouldBe(new(text, thinking, ""));

    [Fact]
    public void Append_Pieces_LeaveAsTheyCome()
    {
        Assembler assembler = new([], Harmony);

        assembler.Append("<|channel|>analysis"u8).IsEmpty.ShouldBeTrue();
        assembler.Append("<|message|>one <|"u8).Thinking.ShouldBe("one ");
        assembler.Append("two<|end|>"u8).Thinking.ShouldBe("<|two");
        assembler.Append("<|start|>assistant<|channel|>commentary to=functions.f<|message|>{"u8).IsEmpty.ShouldBeTrue();
        assembler.Append("}"u8).ToolCalls.ShouldHaveSingleItem().Name.ShouldBe("f");
        assembler.Append("<|end|><|start|>assistant<|channel|>final<|message|>Yes"u8).Text.ShouldBe("Yes");
        assembler.Append(", no"u8).Text.ShouldBe(", no");
    }

    [Theory]
    [InlineData($"<|channel|>analysis<|message|>one END two<|end|>{Final}Yes END no", "Yes ", "one END two", "")]
    [InlineData($"<|channel|>commentary<|message|>END.<|end|><|start|>assistant{ToF}{{\"a\": \"END\"}}", "END.", "", "f{\"a\": \"END\"}")]
    [InlineData("<|channel|>final<|message|>Yes EN<|return|>", "Yes EN", "", "")]
    public void Append_StopString_IsLookedForInTheFinalChannel(string answer, string text, string thinking, string calls)
    {
        Assembly.Of(Harmony, answer, [], "END", "<|message|>", "|>Y").ShouldBe(new(text, thinking, calls));
        Assembly.Of(Harmony, answer, [.. Enumerable.Repeat(1, answer.Length)], "END", "<|message|>", "|>Y").ShouldBe(new(text, thinking, calls));
    }

    [Fact]
    public void ReasoningTokens_Channels_AreThoseOfTheAnalysis()
    {
        Assembler assembler = new([], Harmony);
        foreach (string piece in "<|channel|>,analysis,<|message|>,hm,<|end|>,<|start|>,assistant,<|channel|>,final,<|message|>,Yes".Split(','))
            assembler.Append(Encoding.UTF8.GetBytes(piece));

        assembler.ReasoningTokens.ShouldBe(4);
        assembler.Tokens.ShouldBe(11);
    }

    [Fact]
    public void Append_AnyAnswerCutAnywhere_SameAsAtOnceAndNothingLost()
    {
        Gen<string> part = Gen.OneOf(
            "<|channel|>", "analysis", "final", "commentary", " to=functions.f", "<|constrain|>json", "<|message|>", "<|end|>", "<|start|>assistant", "<|call|>", "<|return|>",
            "<|", "<", "|>", " ", "\n", "#", "é#😀", "{\"a\":\"#\"}", "{", "}", "\"", "END", Analysis, Final, ToF);
        Gen.Select(part.Array[0, 14], Gen.Int[0, 9].Array[0, 60], Gen.Bool).Sample((parts, cuts, hasStop) =>
        {
            string answer = string.Concat(parts);
            string[] stop = hasStop ? ["END"] : [];
            Assembly whole = Assembly.Of(Harmony, answer, [], stop);
            Assembly.Of(Harmony, answer, cuts, stop).ShouldBe(whole);
            Assembly.Of(Harmony, answer, [.. Enumerable.Repeat(1, 1000)], stop).ShouldBe(whole);
            if (!hasStop)
                (whole.Text + whole.Thinking + whole.Calls).Count(c => c == '#').ShouldBe(answer.Count(c => c == '#'), answer);
        });
    }
}
