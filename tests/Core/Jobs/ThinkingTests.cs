using System.Text;
using CsCheck;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Assembling;

namespace OllamaMax.Core.Tests.Jobs;

public sealed class ThinkingTests
{
    private static readonly OutputParsing Closed = new() { Thinking = new("<think>", "</think>", IsOpen: false) };
    private static readonly OutputParsing Open = new() { Thinking = new("<think>", "</think>", IsOpen: true) };

    [Theory]
    [InlineData("<think>\nhm\n</think>\n\nYes.", "Yes.", "hm\n")]
    [InlineData(" \n<think>hm</think>Yes.", "Yes.", "hm")]
    [InlineData("<think>\n\n</think>\n\nYes.", "Yes.", "")]
    [InlineData("Yes. <think>hm</think>", "Yes. <think>hm</think>", "")]
    [InlineData("\n <thin", "\n <thin", "")]
    [InlineData("  <thinker>", "  <thinker>", "")]
    [InlineData("<think>never closed </thi", "", "never closed </thi")]
    [InlineData("<think>a < b </ c <</think>Yes.<think>", "Yes.<think>", "a < b </ c <")]
    [InlineData("", "", "")]
    [InlineData("\n</think>\n\nYes.</think>", "Yes.</think>", "")]
    [InlineData("</thi", "</thi", "")]
    [InlineData("<think>a</think>\n<think>\nb</think> Yes. <think>", "Yes. <think>", "ab")]
    [InlineData("<think>a</think>\n<thin", "<thin", "a")]
    public void Append_Reasoning_IsSeparated(string answer, string text, string thinking) =>
        Assembly.Of(Closed, answer).ShouldBe(new(text, thinking, ""));

    [Theory]
    [InlineData("\nhm</think>\nYes.", "Yes.", "hm")]
    [InlineData("hm", "", "hm")]
    [InlineData("</think>Yes.", "Yes.", "")]
    [InlineData("\n<think>\nhm<think></think>\nYes.", "Yes.", "hm<think>")]
    [InlineData("<thinker></think>Yes.", "Yes.", "<thinker>")]
    [InlineData("\n<thi", "", "<thi")]
    public void Append_PromptEndsInsideTheTag_FirstTokenIsReasoning(string answer, string text, string thinking) =>
        Assembly.Of(Open, answer).ShouldBe(new(text, thinking, ""));

    [Theory]
    [InlineData(false, "<think>|hm |ok|</think>|Yes|.", 3)]
    [InlineData(false, "<th|ink>|hm|</th|ink>Yes", 4)]
    [InlineData(false, "Yes|.|<think>|hm", 0)]
    [InlineData(false, "<think>|never closed", 2)]
    [InlineData(true, "hm|</think>|Yes", 1)]
    public void ReasoningTokens_AnyAnswer_AreThoseInsideTheTags(bool isOpen, string pieces, int expected)
    {
        Assembler assembler = new([], isOpen ? Open : Closed);
        foreach (string piece in pieces.Split('|'))
            assembler.Append(Encoding.UTF8.GetBytes(piece));

        assembler.ReasoningTokens.ShouldBe(expected);
    }

    [Fact]
    public void Append_NothingToTakeApart_TagsAreText() =>
        Assembly.Of(OutputParsing.None, "<think>hm</think>Yes.").ShouldBe(new("<think>hm</think>Yes.", "", ""));

    [Fact]
    public void Append_Reasoning_StreamsButForWhatMayBeTheClosingTag()
    {
        Assembler assembler = new([], Closed);

        assembler.Append("<thi"u8).IsEmpty.ShouldBeTrue();
        assembler.Append("nk>one </"u8).Thinking.ShouldBe("one ");
        assembler.Append("b> </think"u8).Thinking.ShouldBe("</b> ");
        assembler.Append("> Yes"u8).Text.ShouldBe("Yes");
    }

    [Fact]
    public void Append_StopStringInTheReasoning_EndsTheAnswerThere() =>
        Assembly.Of(Closed, "<think>one END two</think>Yes.", [], "END").ShouldBe(new("", "one ", ""));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Append_AnyTextCutAnywhere_SameAsAtOnceAndNothingLost(bool isOpen)
    {
        OutputParsing parsing = isOpen ? Open : Closed;
        Gen<string> part = Gen.OneOf("<think>", "</think>", "<", "</", "</th", "<thi", "nk>", " ", "\n", "a", "é😀", "END");
        Gen.Select(part.Array[0, 12], Gen.Int[0, 9].Array[0, 40], Gen.Bool).Sample((parts, cuts, hasStop) =>
        {
            string answer = string.Concat(parts);
            string[] stop = hasStop ? ["END"] : [];
            Assembly whole = Assembly.Of(parsing, answer, [], stop);
            Assembly.Of(parsing, answer, cuts, stop).ShouldBe(whole);
            Assembly.Of(parsing, answer, [.. Enumerable.Repeat(1, 200)], stop).ShouldBe(whole);
            string written = hasStop ? answer.Split("END")[0] : answer;
            WithoutSpace(whole.Thinking + whole.Text).ShouldBe(WithoutSpace(Untagged(written, isOpen)));
        });
    }

    private const string F = "<tool_call>\n{\"name\":\"f\"}\n</tool_call>";

    [Theory]
    [InlineData($"<think>I look.\n{F}", "", "I look.", "f{}")]
    [InlineData($"<think>I look.\n{F}\n{F}\n", "", "I look.", "f{}|f{}")]
    [InlineData($"<think>I look.\n{F}\n</think>\n\n", "", "I look.", "f{}")]
    [InlineData($"<think>I look.{F}<tool_call>{{\"na", "", "I look.<tool_call>{\"na", "f{}")]
    [InlineData($"<think>I write {F} then.</think>Yes.", "Yes.", $"I write {F} then.", "")]
    [InlineData($"<think>I write {F} then.", "", $"I write {F} then.", "")]
    [InlineData($"<think>So:\n{F}\n</think>\n{F}", "", $"So:\n{F}\n", "f{}")]
    [InlineData($"<think>So:\n{F}</think>Yes.", "Yes.", $"So:\n{F}", "")]
    [InlineData("<think>a < b <tool_call> {}", "", "a < b <tool_call> {}", "")]
    public void Append_CallInReasoning_IsOneWhereTheAnswerEndsWithIt(string answer, string text, string thinking, string calls)
    {
        OutputParsing parsing = Closed with { ToolCalls = ToolCallForm.Hermes };
        Assembly.Of(parsing, answer).ShouldBe(new(text, thinking, calls));
        Assembly.Of(parsing, answer, [.. Enumerable.Repeat(1, 200)]).ShouldBe(new(text, thinking, calls));
        Assembly.Of(Open with { ToolCalls = ToolCallForm.Hermes }, answer["<think>".Length..]).ShouldBe(new(text, thinking, calls));
    }

    [Fact]
    public void Append_CallInReasoningBehindOneThatIsNone_IsOne() =>
        Assembly.Of(Open with { ToolCalls = ToolCallForm.Functions }, "<function=f>\n<parameter=a>\n1\n</parameter>\noops <function=g>\n</function>").ShouldBe(
            new("", "<function=f>\n<parameter=a>\n1\n</parameter>\noops ", "g{}"));

    [Fact]
    public void Append_ReasoningOfAModelWithCalls_StreamsButForWhatMayBeOne()
    {
        Assembler assembler = new([], Open with { ToolCalls = ToolCallForm.Hermes });

        assembler.Append("I look"u8).Thinking.ShouldBe("I look");
        assembler.Append(" <tool_call>{"u8).IsEmpty.ShouldBeTrue();
        assembler.Append("} no"u8).Thinking.ShouldBe(" <tool_call>{} no");
    }

    /// <summary>What is left when the reasoning's tags are taken out, written down another way.</summary>
    private static string Untagged(string answer, bool isOpen)
    {
        string begin = answer.TrimStart();
        if (begin.StartsWith("<think>", StringComparison.Ordinal))
            answer = begin["<think>".Length..];
        else if (!isOpen)
            return begin.StartsWith("</think>", StringComparison.Ordinal) ? Untagged(begin["</think>".Length..]) : answer;
        int close = answer.IndexOf("</think>", StringComparison.Ordinal);
        return close < 0 ? answer : answer[..close] + Untagged(answer[(close + "</think>".Length)..]);
    }

    /// <summary>More reasoning may follow at once.</summary>
    private static string Untagged(string behind) =>
        behind.TrimStart().StartsWith("<think>", StringComparison.Ordinal) ? Untagged(behind, isOpen: false) : behind;

    private static string WithoutSpace(string text) => string.Concat(text.Where(c => !char.IsWhiteSpace(c)));
}
