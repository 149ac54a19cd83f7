using System.Net;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Tests.Ollama;

public sealed class ThinkTests
{
    private const string At = "\"created_at\":\"2026-01-02T03:04:05.678Z\"";

    [Theory]
    [InlineData("", "(think True )")]
    [InlineData(",\"think\":true", "(think True )")]
    [InlineData(",\"think\":false", "(think False )")]
    [InlineData(",\"think\":\"low\"", "(think True low)")]
    [InlineData(",\"think\":\"max\"", "(think True high)")]
    public async Task Chat_ThinkingModel_TemplateIsToldAndReasoningTakenApart(string field, string options)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Models.Add(FixedModels.Able);
        edge.Jobs.Script = job => job.Accept().Finish();

        using HttpResponseMessage response = await edge.PostAsync("/api/chat", $$"""{"model":"able","messages":[{"role":"user","content":"hi"}]{{field}}}""");

        Job job = (await edge.Jobs.NextAsync()).Job;
        job.Prompt.ShouldBe($"{options}<user>hi<assistant>");
        job.Parsing.ShouldBe(new OutputParsing { Thinking = new("<think>", "</think>", IsOpen: false) });
    }

    [Fact]
    public async Task Generate_PromptEndsInsideTheTag_AnswerBeginsWithReasoning()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Models.Add(FixedModels.Able);
        edge.Jobs.Script = job => job.Accept().Finish();

        using HttpResponseMessage response = await edge.PostAsync("/api/generate", """{"model":"able","prompt":"begin to think"}""");

        (await edge.Jobs.NextAsync()).Job.Parsing.Thinking.ShouldNotBeNull().IsOpen.ShouldBeTrue();
    }

    [Theory]
    [InlineData("", false)]
    [InlineData(",\"think\":false", false)]
    [InlineData(",\"think\":true", true)]
    public async Task Generate_RawPrompt_IsTakenApartOnlyWhereAsked(string field, bool isTakenApart)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Models.Add(FixedModels.Able);
        edge.Jobs.Script = job => job.Accept().Finish();

        using HttpResponseMessage response = await edge.PostAsync("/api/generate", $$"""{"model":"able","prompt":"hi","raw":true{{field}}}""");

        ((await edge.Jobs.NextAsync()).Job.Parsing.Thinking is not null).ShouldBe(isTakenApart);
    }

    [Fact]
    public async Task Chat_ModelThatDoesNotThink_IsNotToldTo()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Finish();

        using HttpResponseMessage response = await edge.PostAsync("/api/chat", """{"model":"demo","think":false,"messages":[{"role":"user","content":"hi"}]}""");

        Job job = (await edge.Jobs.NextAsync()).Job;
        job.Prompt.ShouldBe("<user>hi<assistant>");
        job.Parsing.ShouldBe(OutputParsing.None);
    }

    [Fact]
    public async Task Generate_ThinkForModelThatDoesNot_BadRequest()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();

        using HttpResponseMessage response = await edge.PostAsync("/api/generate", """{"model":"demo","think":"high","prompt":"hi"}""");

        (await response.ErrorAsync(HttpStatusCode.BadRequest)).ShouldBe("\"demo\" does not support thinking");
    }

    [Theory]
    [InlineData("/api/chat", "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]", "\"message\":{\"role\":\"assistant\",\"content\":\"@\",\"thinking\":\"#\"}")]
    [InlineData("/api/generate", "\"prompt\":\"hi\"", "\"response\":\"@\",\"thinking\":\"#\"")]
    public async Task Answer_Reasoning_HasItsOwnField(string path, string field, string parts)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Models.Add(FixedModels.Able);
        edge.Jobs.Script = job => job.Accept().Think("h").Think("m\n").Say("Yes").Finish();

        using HttpResponseMessage stream = await edge.PostAsync(path, $$"""{"model":"able",{{field}}}""");
        using HttpResponseMessage whole = await edge.PostAsync(path, $$"""{"model":"able","stream":false,{{field}}}""");

        string[] lines = await stream.LinesAsync();
        lines.Length.ShouldBe(4);
        lines[0].ShouldBe($$"""{"model":"able",{{At}},{{Parts("", "h")}},"done":false}""");
        lines[1].ShouldBe($$"""{"model":"able",{{At}},{{Parts("", "m\\n")}},"done":false}""");
        lines[2].ShouldNotContain("thinking");
        (await whole.TextAsync()).ShouldStartWith($$"""{"model":"able",{{At}},{{Parts("Yes", "hm\\n")}},"done":true,"done_reason":"stop",""");

        string Parts(string text, string thinking) => parts.Replace("@", text, StringComparison.Ordinal).Replace("#", thinking, StringComparison.Ordinal);
    }
}
