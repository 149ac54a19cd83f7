using System.Net;
using System.Text.Json;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Tests.OpenAI;

/// <summary>Tools that stand in the input, and choices among tools.</summary>
public sealed class ResponsesToolsTests
{
    private const string Path = "/v1/responses";

    private const string Three = """ "tools":[{"type":"function","name":"f"},{"type":"custom","name":"g"},{"type":"namespace","name":"n","tools":[{"type":"function","name":"f"}]}]""";

    /// <summary>In the form in which Codex 0.171 sends it under the names of OpenAI's newest models, its texts cut.</summary>
    private const string OfCodex = """
        {"type":"additional_tools","id":"at_1","role":"developer","tools":[
          {"type":"namespace","name":"functions","description":"","tools":[
            {"type":"custom","name":"exec","description":"Runs JavaScript.","format":{"type":"grammar","syntax":"lark","definition":"start: x"}},
            {"type":"function","name":"wait","strict":false,"parameters":{"type":"object","properties":{"cell_id":{"type":"string"}}}}]},
          {"type":"namespace","name":"collaboration","description":"d","tools":[{"type":"function","name":"send_message","strict":false,"parameters":{"type":"object","properties":{"message":{"type":"string","encrypted":true}}}}]},
          {"type":"web_search"}]}
        """;

    private const string Exec = """{"input":"text(1)"}""";

    [Fact]
    public async Task Create_ToolsInTheInput_AreShownAndCalledAsTheClientKnowsThem()
    {
        await using EdgeServer edge = await StartAsync(("functions__exec", Exec));

        JsonElement answer = await AnswerAsync(edge, $$"""{"model":"able","store":false,"input":[{{OfCodex}},{"role":"user","content":"hi"}]}""");

        (await edge.Jobs.NextAsync()).Job.Prompt.ShouldEndWith("[functions__exec][functions__wait][collaboration__send_message]<user>hi<assistant>");
        JsonElement call = answer.GetProperty("output")[0];
        (call.GetProperty("type").GetString(), call.GetProperty("namespace").GetString(), call.GetProperty("name").GetString(), call.GetProperty("input").GetString())
            .ShouldBe(("custom_tool_call", "functions", "exec", "text(1)"));
    }

    [Fact]
    public async Task Create_GoesOn_WithTheToolsThatTheConversationHas()
    {
        const string told = """{"type":"additional_tools","role":"developer","tools":[{"type":"function","name":"f"},{"type":"custom","name":"late"}]}""";
        await using EdgeServer edge = await StartAsync(("late", "{\"input\":\"x\"}"));

        JsonElement first = await AnswerAsync(edge, $$"""{"model":"able","input":[{{told}},{"role":"user","content":"hi"}]}""");
        JsonElement second = await AnswerAsync(
            edge, $$"""{"model":"able","previous_response_id":"{{first.GetProperty("id")}}","input":"more","tools":[{"type":"function","name":"f","parameters":{"type":"object"} },{"type":"function","name":"g"}]}""");

        await edge.Jobs.NextAsync();
        // One that is told of again stands once.
        (await edge.Jobs.NextAsync()).Job.Prompt.ShouldContain("[f][late][g]<user>hi");
        second.GetProperty("output")[0].GetProperty("type").GetString().ShouldBe("custom_tool_call");
    }

    [Fact]
    public async Task Create_ReferenceToAnItemWithTools_HasThem()
    {
        const string told = """{"type":"additional_tools","role":"developer","tools":[{"type":"function","name":"f"}]}""";
        await using EdgeServer edge = await StartAsync();
        await AnswerAsync(edge, $$"""{"model":"able","input":[{{told}},{"role":"user","content":"hi"}]}""");
        string id = edge.Responses.Kept.ShouldHaveSingleItem().Value.Input[0].GetProperty("id").GetString()!;

        await AnswerAsync(edge, $$"""{"model":"able","input":[{"type":"item_reference","id":"{{id}}"},{"role":"user","content":"more"}]}""");

        await edge.Jobs.NextAsync();
        (await edge.Jobs.NextAsync()).Job.Prompt.ShouldContain("[f]<user>more");
    }

    [Theory]
    [InlineData("auto", """{"type":"custom","name":"g"},{"type":"web_search"}""", "[g]", false)]
    [InlineData("auto", """{"type":"function","name":"f","namespace":"n"},{"type":"function","name":"f"}""", "[f][n__f]", false)]
    [InlineData("auto", "", "", false)]
    [InlineData("required", """{"type":"function","name":"f"}""", "[f]", true)]
    public async Task Create_AllowedTools_AreThoseThatTheModelSees(string mode, string allowed, string shown, bool isBound)
    {
        await using EdgeServer edge = await StartAsync();

        await AnswerAsync(edge, $$"""
            {"model":"able","input":"hi","reasoning":{"effort":"none"},{{Three}},"tool_choice":{"type":"allowed_tools","mode":"{{mode}}","tools":[{{allowed}}]} }
            """);

        Job job = (await edge.Jobs.NextAsync()).Job;
        job.Prompt.ShouldBe($"(think False ){shown}<user>hi<assistant>");
        (job.Options.Grammar is not null).ShouldBe(isBound);
    }

    [Theory]
    [InlineData("""[{"type":"additional_tools","role":"developer"},{"role":"user","content":"x"}]""", "{}", "input[0].tools")]
    [InlineData("""[{"type":"additional_tools","role":"developer","tools":[{"type":"mcp"}]},{"role":"user","content":"x"}]""", "{}", "input[0].tools[0].type")]
    [InlineData("""[{"type":"additional_tools","role":"developer","tools":[{"type":"web_search","x":"\ud800"}]},{"role":"user","content":"x"}]""", "{}", "input[0].tools[0]")]
    [InlineData("\"x\"", """{"type":"allowed_tools","mode":"auto","tools":[{"type":"function","name":"g2"}]}""", "tool_choice.tools[0].name")]
    [InlineData("\"x\"", """{"type":"allowed_tools","mode":"some","tools":[{"type":"function","name":"f"}]}""", "tool_choice.mode")]
    [InlineData("\"x\"", """{"type":"allowed_tools","mode":"required","tools":[]}""", "tool_choice.mode")]
    [InlineData("\"x\"", """{"type":"allowed_tools","mode":"auto"}""", "tool_choice.tools")]
    public async Task Create_BadTools_AreNamed(string input, string choice, string field)
    {
        await using EdgeServer edge = await StartAsync();

        using HttpResponseMessage response = await edge.PostAsync(Path, $$"""{"model":"able","input":{{input}},{{Three}},"tool_choice":{{(choice == "{}" ? "null" : choice)}}}""");

        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest, await response.TextAsync());
        JsonElement.Parse(await response.TextAsync()).GetProperty("error").GetProperty("param").GetString().ShouldBe(field);
    }

    private static async Task<EdgeServer> StartAsync(params (string Name, string Arguments)[] calls)
    {
        EdgeServer edge = await EdgeServer.StartAsync();
        edge.Models.Add(FixedModels.Able);
        edge.Jobs.Script = job => job.Accept().Call(calls).Finish();
        return edge;
    }

    private static async Task<JsonElement> AnswerAsync(EdgeServer edge, string request)
    {
        using HttpResponseMessage response = await edge.PostAsync(Path, request);
        response.StatusCode.ShouldBe(HttpStatusCode.OK, await response.TextAsync());
        return JsonElement.Parse(await response.TextAsync());
    }
}
