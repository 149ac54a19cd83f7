using System.Net;
using System.Text.Json;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Jobs;
using OllamaMax.Streaming;

namespace OllamaMax.Edge.Tests.Ollama;

public sealed class ToolTests
{
    private const string Request = """
        {"model":"able","messages":[{"role":"user","content":"hi"}],"tools":[{"type":"function","function":{"name":"f"}}]}
        """;

    [Fact]
    public async Task Chat_Tools_CallsAreTakenApartInTheModelsForm()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Models.Add(FixedModels.Able);
        edge.Jobs.Script = job => job.Accept().Finish();

        using HttpResponseMessage with = await edge.PostAsync("/api/chat", Request);
        using HttpResponseMessage without = await edge.PostAsync("/api/chat", Request.Replace("tools", "fools", StringComparison.Ordinal));

        (await edge.Jobs.NextAsync()).Job.Parsing.ToolCalls.ShouldBe(ToolCallForm.Hermes);
        (await edge.Jobs.NextAsync()).Job.Parsing.ToolCalls.ShouldBe(ToolCallForm.None);
    }

    [Fact]
    public async Task Chat_ToolsInAFormThatIsNotKnown_AreShownAndCallsAreText()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Models.Add(FixedModels.Able with { Capabilities = ["completion"], Template = "{% if tools %}{{ '<odd_call>' }}{% endif %}" });
        edge.Jobs.Script = job => job.Accept().Finish();

        using HttpResponseMessage response = await edge.PostAsync("/api/chat", Request);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        Job job = (await edge.Jobs.NextAsync()).Job;
        job.Prompt.ShouldContain("[f]");
        job.Parsing.ToolCalls.ShouldBe(ToolCallForm.None);
    }

    [Fact]
    public async Task Chat_FormThatWritesTextsWithoutQuotes_TypesOfArgumentsGoWithTheJob()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Models.Add(FixedModels.Able with { Template = "{{ tools }}<function=f><parameter=a>" });
        edge.Jobs.Script = job => job.Accept().Finish();

        using HttpResponseMessage response = await edge.PostAsync("/api/chat", Request.Replace(
            "{\"name\":\"f\"}", """{"name":"f","parameters":{"properties":{"a":{"type":"string"} } } }""", StringComparison.Ordinal));

        Job job = (await edge.Jobs.NextAsync()).Job;
        job.Parsing.ToolCalls.ShouldBe(ToolCallForm.Functions);
        job.Parsing.Arguments!["f"]["a"].ShouldBe(ArgumentTypes.Texts);
        Job read = JsonSerializer.Deserialize(JsonSerializer.SerializeToUtf8Bytes(job, ProtocolJson.Default.Job), ProtocolJson.Default.Job)!;
        read.Parsing.Arguments!["f"]["a"].ShouldBe(ArgumentTypes.Texts);
    }

    [Fact]
    public async Task Chat_Streamed_CallsLeaveAsTheyComeAndAreNumbered()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Models.Add(FixedModels.Able);
        edge.Jobs.Script = job => job.Accept().Say("Let me see.").Call(("f", "{\n\"a\": 1}"), ("g", "{}")).Call(("f", "{\"a\":\"é\\n\"}")).Finish();

        using HttpResponseMessage response = await edge.PostAsync("/api/chat", Request);

        string[] lines = await response.LinesAsync();
        lines.Length.ShouldBe(4);
        string answer = AnswerId(lines[1]);
        lines[1].ShouldContain(
            $$$$"""{"role":"assistant","content":"","tool_calls":[{"id":"call_{{{{answer}}}}0","function":{"index":0,"name":"f","arguments":{"a":1}}},"""
            + $$$$"""{"id":"call_{{{{answer}}}}1","function":{"index":1,"name":"g","arguments":{}}}]},"done":false}""");
        lines[2].ShouldContain($$$$"""[{"id":"call_{{{{answer}}}}2","function":{"index":2,"name":"f","arguments":{"a":"é\n"}}}]},"done":false}""");
        lines[3].ShouldContain("\"content\":\"\"},\"done\":true,\"done_reason\":\"stop\"");
    }

    [Fact]
    public async Task Chat_NotStreamed_HasTextReasoningAndAllCalls()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Models.Add(FixedModels.Able);
        edge.Jobs.Script = job => job.Accept().Think("hm").Say("Look: ").Call(("f", "{}")).Call(("g", "{}")).Finish();

        using HttpResponseMessage response = await edge.PostAsync("/api/chat", Request.Trim()[..^1] + ",\"stream\":false}");

        string text = await response.TextAsync();
        string answer = AnswerId(text);
        text.ShouldContain(
            $$$$"""{"role":"assistant","content":"Look: ","thinking":"hm","tool_calls":[{"id":"call_{{{{answer}}}}0","function":{"index":0,"name":"f","arguments":{}}},"""
            + $$$$"""{"id":"call_{{{{answer}}}}1","function":{"index":1,"name":"g","arguments":{}}}]},"done":true""");
    }

    /// <summary>What its calls' ids are made of.</summary>
    private static string AnswerId(string line)
    {
        string id = JsonElement.Parse(line).GetProperty("message").GetProperty("tool_calls")[0].GetProperty("id").GetString().ShouldNotBeNull();
        id.ShouldMatch("^call_[0-9a-z]{26}0$");
        return id["call_".Length..^1];
    }
}
