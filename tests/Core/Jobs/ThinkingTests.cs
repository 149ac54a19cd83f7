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
    public void Append_Reasoning_IsSeparated(string answer, string text, string thinking) =>
        Assembly.Of(Closed, answer).ShouldBe(new(text, thinking, ""));

    [Theory]
    [InlineData("\nhm</think>\nYes.", "Yes.", "hm")]
    [InlineData("hm", "", "hm")]
    [InlineData("</think>Yes.", "Yes.", "")]
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

    /// <summary>What is left when the reasoning's tags are taken out, written down another way.</summary>
    private static string Untagged(string answer, bool isOpen)
    {
        if (!isOpen && !answer.TrimStart().StartsWith("<think>", StringComparison.Ordinal))
            return answer;
        string inside = isOpen ? answer : answer.TrimStart()["<think>".Length..];
        int close = inside.IndexOf("</think>", StringComparison.Ordinal);
        return close < 0 ? inside : inside[..close] + inside[(close + "</think>".Length)..];
    }

    private static string WithoutSpace(string text) => string.Concat(text.Where(c => !char.IsWhiteSpace(c)));
}
