using OllamaMax.Edge.Tests.Support;
using OllamaMax.TestKit.Grammars;

namespace OllamaMax.Edge.Tests.Ollama;

public sealed class FormatTests
{
    private const string Schema = """{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]}""";

    [Theory]
    [InlineData("\"json\"")]
    [InlineData(Schema)]
    public async Task Generate_Format_BecomesAGrammar(string format)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Finish();

        using HttpResponseMessage response = await edge.PostAsync("/api/generate", $$"""{"model":"demo","prompt":"hi","format":{{format}}}""");

        string grammar = (await edge.Jobs.NextAsync()).Job.Options.Grammar.ShouldNotBeNull();
        GbnfMatcher.Matches(grammar, """{"a": 1}""").ShouldBeTrue();
        GbnfMatcher.Matches(grammar, """{"a": 1.5}""").ShouldBe(format != Schema);
        GbnfMatcher.Matches(grammar, "Sure!").ShouldBeFalse();
    }

    [Theory]
    [InlineData("")]
    [InlineData(",\"format\":null")]
    [InlineData(",\"format\":\"\"")]
    public async Task Generate_NoFormat_NoGrammar(string field)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Finish();

        using HttpResponseMessage response = await edge.PostAsync("/api/generate", $$"""{"model":"demo","prompt":"hi"{{field}}}""");

        (await edge.Jobs.NextAsync()).Job.Options.Grammar.ShouldBeNull();
    }

    [Theory]
    [InlineData("hi", "", "<think>\nhm\n</think>\n\n{}", true)]
    [InlineData("hi", "", "{}", true)]
    [InlineData("hi", "", "<think>{}", false)]
    [InlineData("hi", ",\"think\":false", "<think>hm</think>{}", false)]
    [InlineData("hi", ",\"think\":false", "{}", true)]
    [InlineData("begin to think", ",\"think\":false", "hm</think>{}", true)]
    [InlineData("begin to think", "", "{}", false)]
    public async Task Chat_FormatForAModelThatThinks_BindsTheAnswerBehindItsReasoning(string content, string field, string answer, bool isAllowed)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Models.Add(FixedModels.Able);
        edge.Jobs.Script = job => job.Accept().Finish();

        using HttpResponseMessage response = await edge.PostAsync(
            "/api/chat", $$"""{"model":"able","messages":[{"role":"user","content":"{{content}}"}],"format":"json"{{field}}}""");

        GbnfMatcher.Matches((await edge.Jobs.NextAsync()).Job.Options.Grammar.ShouldNotBeNull(), answer).ShouldBe(isAllowed);
    }
}
