using CsCheck;
using OllamaMax.Jobs;

namespace OllamaMax.Core.Tests.Jobs;

public sealed class AnswerTagsTests
{
    private const string F = """{"name":"f","arguments":{"a":1}}""";

    private static readonly OutputParsing Granite = new() { Thinking = new("<think>", "</think>", IsOpen: false), Answer = new("<response>", "</response>") };

    private static readonly OutputParsing Cohere = new()
    {
        Thinking = new("<|START_THINKING|>", "<|END_THINKING|>", IsOpen: false),
        Answer = new("<|START_RESPONSE|>", "<|END_RESPONSE|>"),
    };

    [Theory]
    [InlineData("<think>hm</think>\n\n<response>\nYes.</response>\n", "Yes.", "hm")]
    [InlineData("<think>hm</think>Yes, <response>.", "Yes, <response>.", "hm")]
    [InlineData("<response>Yes.", "Yes.", "")]
    [InlineData("<response>a </resp b</respo", "a </resp b</respo", "")]
    [InlineData("<response>Yes.</response> No.", "Yes.No.", "")]
    [InlineData("<think>hm</think> <resp", "<resp", "hm")]
    public void Append_TagsAroundTheAnswer_AreTakenAway(string answer, string text, string thinking) => Assembly.Of(Granite, answer).ShouldBe(new(text, thinking, ""));

    [Theory]
    [InlineData("<|START_THINKING|>I'm\nthinking<|END_THINKING|><|START_RESPONSE|>Hello, world!<|END_RESPONSE|>", "Hello, world!", "I'm\nthinking")]
    [InlineData("<|START_RESPONSE|>Hello, world!<|END_RESPONSE|>", "Hello, world!", "")]
    public void Append_AnswerOfCommandR7B_IsBare(string answer, string text, string thinking) => Assembly.Of(Cohere, answer).ShouldBe(new(text, thinking, ""));

    [Theory]
    [InlineData(" blue.<|END_RESPONSE|>", " blue.")]
    [InlineData(" blue", " blue")]
    public void Append_AnswerThatThePromptHasBegun_GoesOnUpToItsTag(string answer, string text) =>
        Assembly.Of(Cohere with { Answer = Cohere.Answer! with { IsBegun = true } }, answer).ShouldBe(new(text, "", ""));

    [Fact]
    public void Append_CallInTheTags_IsTakenApart() =>
        Assembly.Of(Granite with { ToolCalls = ToolCallForm.Hermes }, $"<response>Look: <tool_call>{F}</tool_call></response>").ShouldBe(new("Look:", "", "f{\"a\":1}"));

    [Fact]
    public void Append_AnyAnswerCutAnywhere_SameAsAtOnce()
    {
        Gen<string> part = Gen.OneOf("<think>", "</think>", "<response>", "</response>", "<", "</", "<res", "ponse>", " ", "\n", "a", "é😀");
        Gen.Select(part.Array[0, 12], Gen.Int[0, 9].Array[0, 40]).Sample((parts, cuts) =>
        {
            string answer = string.Concat(parts);
            Assembly whole = Assembly.Of(Granite, answer);
            Assembly.Of(Granite, answer, cuts).ShouldBe(whole);
            Assembly.Of(Granite, answer, [.. Enumerable.Repeat(1, 200)]).ShouldBe(whole);
        });
    }
}
