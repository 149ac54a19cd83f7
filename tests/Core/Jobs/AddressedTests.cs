using System.Text;
using CsCheck;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Assembling;

namespace OllamaMax.Core.Tests.Jobs;

/// <summary>Answers as Muse Glimmer writes them.</summary>
public sealed class AddressedTests
{
    private const string Thought = " to=self<|message|>I'm\nthinking<|eom|><|start|>assistant";
    private const string Call = "<|message|><atem:function_calls>\n<atem:invoke name=\"f\">\n<atem:parameter name=\"s\">x</atem:parameter>\n</atem:invoke>\n</atem:function_calls>";

    private static readonly OutputParsing Addressed = new() { Addressed = "", ToolCalls = ToolCallForm.Atem };

    [Theory]
    [InlineData(" to=user<|message|>Hello\nthere", "Hello\nthere", "", "")]
    [InlineData($"{Thought} to=user<|message|>Hello<|eot|>", "Hello", "I'm\nthinking", "")]
    [InlineData("<|start|>assistant<|message|>Hello", "Hello", "", "")]
    [InlineData($"{Thought} to=f{Call}<|eot|>", "", "I'm\nthinking", "f{\"s\":\"x\"}")]
    [InlineData($" to=user<|message|>I look.<|eom|><|start|>assistant to=f{Call}<|eom|><|start|>assistant to=f{Call}<|eot|>", "I look.", "", "f{\"s\":\"x\"}|f{\"s\":\"x\"}")]
    [InlineData($" to=user{Call}", "", "", "f{\"s\":\"x\"}")]
    [InlineData($" to=self{Call}", "", "", "f{\"s\":\"x\"}")]
    [InlineData($" to=self{Call}<|eot|>\n", "", "", "f{\"s\":\"x\"}")]
    [InlineData(" to=self<|message|><atem:invoke name=\"f\"><atem:<|eom|><|start|>assistant to=user<|message|>a<|eom|><|start|>assistant to=self<|message|>i", "a", "<atem:invoke name=\"f\"><atem:i", "")]
    [InlineData($" to=self{Call}<|eom|><|start|>assistant to=user<|message|>Hello", "Hello", "<atem:function_calls>", "")]
    [InlineData(" to=self<|message|>hm<|start|>assistant to=user<|message|>Hello", "Hello", "hm", "")]
    public void Append_Messages_ReasoningAnswerAndCallsApart(string answer, string text, string thinking, string calls)
    {
        Assembly all = Assembly.Of(Addressed, answer);
        all.Text.ShouldBe(text);
        all.Calls.ShouldBe(calls);
        all.Thinking.ShouldStartWith(thinking);
    }

    [Theory]
    [InlineData("Hello < there", "Hello < there")]
    [InlineData("tomorrow", "tomorrow")]
    [InlineData("to=a b<|message|>", "to=a b<|message|>")]
    [InlineData(" to", " to")]
    [InlineData(" to=user<|message|>a <| b <|start|>user <|eo", "a <| b <|start|>user <|eo")]
    [InlineData("<|message|>a<|eom|> b", "a b")]
    public void Append_NoHeader_IsText(string answer, string text) => Assembly.Of(Addressed, answer).Text.ShouldBe(text);

    [Theory]
    [InlineData($"{Thought} to=us")]
    [InlineData($"{Thought} to=user<|mess")]
    [InlineData("Hello<|start|>assistant")]
    public void Append_CutOffInAHeader_LeavesNoMarks(string answer) => Assembly.Of(Addressed, answer).Text.ShouldNotContain("<|");

    [Theory]
    [InlineData(" to=user<|message|>", "Hello", "Hello", "")]
    [InlineData(" to=self<|message|>", "hm<|eom|><|start|>assistant to=user<|message|>Hello", "Hello", "hm")]
    public void Append_HeaderBegunByThePrompt_GoesOnThere(string begun, string answer, string text, string thinking) =>
        Assembly.Of(Addressed with { Addressed = begun }, answer).ShouldBe(new(text, thinking, ""));

    [Fact]
    public void Append_StopString_AppliesToTheAnswerAlone() =>
        Assembly.Of(Addressed, " to=self<|message|>a user<|eom|><|start|>assistant to=user<|message|>one user two", [], "user").ShouldBe(new("one ", "a user", ""));

    [Fact]
    public void ReasoningTokens_Messages_AreThoseToItself()
    {
        Assembler assembler = new([], Addressed);
        foreach (string piece in (string[])[" to=self", "<|message|>", "hm", "<|eom|>", "<|start|>assistant", " to=user", "<|message|>", "Hello"])
            assembler.Append(Encoding.UTF8.GetBytes(piece));

        assembler.ReasoningTokens.ShouldBe(3);
    }

    [Fact]
    public void Append_AnyAnswerCutAnywhere_SameAsAtOnceAndNothingLost()
    {
        string[] pieces = [Call, " to=self", " to=user", "<|message|>", "<|eom|>", "<|eot|>", "<|start|>assistant", "<|start|>", "<|", "<", "<atem:", " ", "\n", "#", "é#😀"];
        Gen.Select(Gen.OneOf([.. pieces.Select(Gen.Const)]).Array[0, 14].Select(string.Concat), Gen.Int[0, 9].Array[0, 60]).Sample((answer, cuts) =>
        {
            Assembly whole = Assembly.Of(Addressed, answer);
            Assembly.Of(Addressed, answer, cuts).ShouldBe(whole);
            Assembly.Of(Addressed, answer, [.. Enumerable.Repeat(1, 2000)]).ShouldBe(whole);
            (whole.Text + whole.Thinking).Count(c => c == '#').ShouldBeGreaterThanOrEqualTo(answer.Count(c => c == '#') - LostInHeader(answer));
        });
    }

    /// <summary>A recipient is no text: what stands in a header that is cut off, or behind its <c>to=</c>.</summary>
    private static int LostInHeader(string answer) => System.Text.RegularExpressions.Regex.Matches(answer, @"to=(self|user)[^<\s]*").Sum(match => match.Value.Count(c => c == '#'));
}
