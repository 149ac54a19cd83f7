using System.Net;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.Requests;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Edge.Tests.Templates;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Tests.Anthropic;

/// <summary>Requests in the form in which Claude Code 2.1.332 sends them, their texts cut.</summary>
public sealed class AgentRequestTests
{
    private const string Path = "/v1/messages";

    private const string Tools = """
        {"name":"Read","description":"d","input_schema":{"type":"object"}},{"name":"ToolSearch","input_schema":{"type":"object"}},
        {"name":"WebFetch","description":"Fetches.","input_schema":{"type":"object","properties":{"url":{"type":"string"}}},"defer_loading":true},
        {"name":"DeferredToolPlaceholder","description":"never call this tool","input_schema":{"type":"object","properties":{}},"defer_loading":true}
        """;

    private const string First = """
        {"role":"user","content":[{"type":"text","text":"<system-reminder>r</system-reminder>"},{"type":"text","text":"Read a.txt"}]},
        {"role":"system","content":[{"type":"text","text":"# Environment","cache_control":{"type":"ephemeral"}}]}
        """;

    private const string Opening = "(think True high)[Read][ToolSearch]<system>You are an agent.\nBe brief.<user><system-reminder>r</system-reminder>\nRead a.txt<system># Environment";

    [Fact]
    public async Task Messages_FirstRequest_LeavesTheBillingHeaderAndDeferredToolsOut() =>
        (await JobOfAsync(First, "cc_version=2.1.332.ca9; cc_entrypoint=sdk-cli;")).Prompt.ShouldBe(Opening + "<assistant>");

    [Fact]
    public async Task Messages_BillingHeaderThatChanges_PlacesThePromptAsBefore()
    {
        Job one = await JobOfAsync(First, "cc_version=2.1.332.ca9; cch=1a2b3;");
        Job other = await JobOfAsync(First, "cc_version=2.1.332.0f0; cch=4c5d6;");

        (other.Prompt, other.Placement.Prefix).ShouldBe((one.Prompt, one.Placement.Prefix));
    }

    [Fact]
    public async Task CountTokens_BillingHeader_IsNotCounted()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();

        using HttpResponseMessage with = await edge.PostAsync(Path + "/count_tokens", """
            {"model":"demo","system":[{"type":"text","text":"x-anthropic-billing-header: cc_version=2.1.332.ca9;"},{"type":"text","text":"Be brief."}],"messages":[{"role":"user","content":"hi"}]}
            """);
        using HttpResponseMessage without = await edge.PostAsync(Path + "/count_tokens", """{"model":"demo","system":"Be brief.","messages":[{"role":"user","content":"hi"}]}""");

        (await with.TextAsync()).ShouldBe(await without.TextAsync());
    }

    [Fact]
    public async Task Messages_ToolThatWasSearchedFor_IsDescribedWhereItWasFound()
    {
        Job job = await JobOfAsync(First + """
            ,{"role":"assistant","content":[{"type":"tool_use","id":"toolu_1","name":"ToolSearch","input":{"query":"select:WebFetch"}}]},
            {"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":[{"type":"tool_reference","tool_name":"WebFetch"},{"type":"tool_reference","tool_name":"Read"}]}]}
            """);

        job.Prompt.ShouldBe(Opening + """
            <assistant><tool><function>{"name":"WebFetch","description":"Fetches.","parameters":{"type":"object","properties":{"url":{"type":"string"}}}}</function>
            Read<assistant>
            """);
    }

    [Fact]
    public async Task Messages_ToolsThatComeAndGo_AreSaidWhereTheyDo()
    {
        Job job = await JobOfAsync(First + """
            ,{"role":"system","content":[
              {"type":"tool_removal","tool":{"type":"tool_reference","name":"Read"}},{"type":"tool_addition","tool":{"type":"tool_reference","name":"WebFetch"}},
              {"type":"tool_addition","tool":{"type":"tool_definition","definition":{"name":"New","input_schema":{"type":"object"}}}},{"type":"text","text":"MCP."}]}
            """);

        job.Prompt.ShouldStartWith(Opening);
        job.Prompt.ShouldEndWith("""
            From now on this tool cannot be called: Read
            From now on this tool can be called: <function>{"name":"WebFetch","description":"Fetches.","parameters":{"type":"object","properties":{"url":{"type":"string"}}}}</function>
            From now on this tool can be called: <function>{"name":"New","parameters":{"type":"object"}}</function>
            MCP.<assistant>
            """);
    }

    [Fact]
    public async Task Messages_DeferredToolThatIsChosen_IsShownAndHeldTo()
    {
        Job job = await JobOfAsync(First, choice: """{"type":"tool","name":"WebFetch"}""");

        job.Prompt.ShouldStartWith("(think True high)[Read][ToolSearch][WebFetch]");
        // As grammars write it.
        job.Options.Grammar!.ShouldContain(string.Concat("WebFetch".Select(letter => $"\\x{(int)letter:X2}")));
    }

    [Fact]
    public async Task Messages_ImageInAResult_IsSaidToBeLeftOut()
    {
        Job job = await JobOfAsync(First + """
            ,{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"s"},{"type":"tool_use","id":"toolu_1","name":"Read","input":{"file_path":"/p.png"}}]},
            {"role":"user","content":[
              {"tool_use_id":"toolu_1","type":"tool_result","content":[{"type":"text","text":"p.png"},{"type":"image","source":{"type":"base64","data":"iVBORw0K","media_type":"image/png"}}]},
              {"type":"text","text":"What is it?"}]}
            """);

        job.Prompt.ShouldBe(Opening + "<assistant><tool>p.png\n[An image was left out: this model reads text.]<user>What is it?<assistant>");
    }

    [Theory]
    [InlineData("""{"role":"system","content":[{"type":"image"}]}""", "messages[2].content[0].type")]
    [InlineData("""{"role":"system","content":[{"type":"tool_addition"}]}""", "messages[2].content[0].tool is required")]
    [InlineData("""{"role":"system","content":[{"type":"tool_addition","tool":{"type":"tool_reference"}}]}""", "messages[2].content[0].tool.tool_name is required")]
    [InlineData("""{"role":"system","content":[{"type":"tool_addition","tool":{"type":"tool_definition","definition":{"name":"f"}}}]}""", "messages[2].content[0].tool.definition.input_schema is required")]
    [InlineData("""{"role":"user","content":[{"type":"tool_reference","tool_name":"f"}]}""", "messages[2].content[0].type")]
    public async Task Messages_BadBlock_IsNamed(string message, string error)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();

        using HttpResponseMessage response = await edge.PostAsync(Path, Request($"{First},{message}", "", null, "demo"));

        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await response.TextAsync()).ShouldContain(error);
    }

    /// <summary>Neither a system message between the turns nor a text behind a result has a place in it.</summary>
    [Fact]
    public async Task Messages_TemplateWhoseRolesAlternate_IsNotSentAway()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync(services: services => services.AddSingleton<IPromptRenderer>(
            _ => TemplateModels.Templates(configure: options => options.RenderTimeout = TimeSpan.FromMinutes(1))));
        edge.Models.Add(FixedModels.Able with { Template = TemplateShapes.Mistral });
        edge.Jobs.Script = job => job.Accept().Finish();

        using HttpResponseMessage response = await edge.PostAsync(Path, Request(First + """
            ,{"role":"assistant","content":[{"type":"tool_use","id":"toolu_1","name":"Read","input":{}}]},
            {"role":"user","content":[{"tool_use_id":"toolu_1","type":"tool_result","content":"42"},{"type":"text","text":"[Request interrupted by user]"}]}
            """, "", null, "able"));

        response.StatusCode.ShouldBe(HttpStatusCode.OK, await response.TextAsync());
        string prompt = (await edge.Jobs.NextAsync()).Job.Prompt;
        prompt.ShouldContain("[INST] <system-reminder>r</system-reminder>\nRead a.txt\n\n# Environment[/INST]");
        prompt.ShouldContain("{\"content\": 42\n\n[Request interrupted by user], ");
    }

    private static string Request(string messages, string billing, string? choice, string model) => $$$"""
        {
          "model": "{{{model}}}", "max_tokens": 32000, "stream": true, "thinking": {"type":"adaptive","display":"omitted"}, "output_config": {"effort":"high"},
          "context_management": {"edits":[{"type":"clear_thinking_20251015","keep":"all"}]}, "metadata": {"user_id":"{\"device_id\":\"d\"}"},
          "system": [
            {"type":"text","text":"x-anthropic-billing-header: {{{billing}}}"},
            {"type":"text","text":"You are an agent.","cache_control":{"type":"ephemeral"}},{"type":"text","text":"Be brief.","cache_control":{"type":"ephemeral"}}],
          "tools": [{{{Tools}}}], "tool_choice": {{{choice ?? "null"}}}, "messages": [{{{messages}}}]
        }
        """;

    private static async Task<Job> JobOfAsync(string messages, string billing = "cc_version=2.1.332.ca9;", string? choice = null)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Models.Add(FixedModels.Able);
        edge.Jobs.Script = job => job.Accept().Finish();
        using HttpResponseMessage response = await edge.PostAsync(Path + "?beta=true", Request(messages, billing, choice, "able"));
        response.StatusCode.ShouldBe(HttpStatusCode.OK, await response.TextAsync());
        return (await edge.Jobs.NextAsync()).Job;
    }
}
