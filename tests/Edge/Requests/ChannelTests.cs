using System.Net;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.Requests;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Edge.Tests.Templates;
using OllamaMax.Jobs;
using OllamaMax.Models;

namespace OllamaMax.Edge.Tests.Requests;

/// <summary>A model that writes in channels (gpt-oss), behind all three APIs: its marks are never seen, and what a client sends back is rendered.</summary>
public sealed class ChannelTests
{
    private const string Tools = "[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":{\"type\":\"object\"}}}]";
    private const string Flat = "[{\"type\":\"function\",\"name\":\"f\",\"parameters\":{\"type\":\"object\"}}]";
    private const string Schemas = "[{\"name\":\"f\",\"input_schema\":{\"type\":\"object\"}}]";
    private const string Hi = "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]";
    private const string Frame = "<|start|>assistant";

    [Theory]
    [InlineData("/api/chat", Hi, "\"content\":\"Hello.\",\"thinking\":\"Easy.\"")]
    [InlineData("/api/generate", "\"prompt\":\"hi\"", "\"response\":\"Hello.\",\"thinking\":\"Easy.\"")]
    [InlineData("/v1/chat/completions", Hi, "\"reasoning_content\":\"Easy.\"")]
    [InlineData("/v1/responses", "\"input\":\"hi\"", "\"type\":\"reasoning_text\",\"text\":\"Easy.\"")]
    [InlineData("/v1/messages", Hi + ",\"max_tokens\":2000,\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":1024}", "{\"type\":\"text\",\"text\":\"Hello.\"}")]
    public async Task Answer_InChannels_HasReasoningAndTextApart(string path, string field, string parts)
    {
        await using EdgeServer edge = await StartAsync();
        edge.Jobs.Script = job => job.Accept().Write($"<|channel|>analysis<|message|>Easy.<|end|>{Frame}<|channel|>final<|message|>Hello.").Finish();

        string whole = await PostAsync(edge, path, $$"""{"model":"oss","stream":false,{{field}}}""");
        string stream = await PostAsync(edge, path, $$"""{"model":"oss","stream":true,{{field}}}""");

        whole.ShouldContain(parts);
        whole.ShouldContain("\"Hello.\"");
        stream.ShouldContain("\"Hello.\"");
        (whole + stream).ShouldNotContain("<|");
        (whole + stream).ShouldNotContain("channel");
        (await edge.Jobs.NextAsync()).Job.Prompt.ShouldEndWith("<|start|>user<|message|>hi<|end|><|start|>assistant");
    }

    [Theory]
    [InlineData("/api/chat", Hi + ",\"tools\":" + Tools, "\"function\":{\"index\":0,\"name\":\"f\",\"arguments\":{\"a\":1}}}]")]
    [InlineData("/v1/chat/completions", Hi + ",\"tools\":" + Tools, "\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":1}\"}")]
    [InlineData("/v1/responses", "\"input\":\"hi\",\"tools\":" + Flat, "\"arguments\":\"{\\\"a\\\":1}\"")]
    [InlineData("/v1/messages", Hi + ",\"max_tokens\":99,\"tools\":" + Schemas, "\"name\":\"f\",\"input\":{\"a\":1}")]
    public async Task Answer_MessageToAFunction_IsACall(string path, string field, string call)
    {
        await using EdgeServer edge = await StartAsync();
        edge.Jobs.Script = job => job.Accept()
            .Write($"<|channel|>analysis<|message|>Easy.<|end|>{Frame}<|channel|>commentary to=functions.f <|constrain|>json<|message|>{{\"a\":1}}<|call|>").Finish();

        string answer = await PostAsync(edge, path, $$"""{"model":"oss","stream":false,{{field}}}""");

        answer.ShouldContain(call);
        answer.ShouldNotContain("<|");
    }

    [Theory]
    [InlineData("", "medium")]
    [InlineData(",\"think\":false", "medium")]
    [InlineData(",\"think\":true", "medium")]
    [InlineData(",\"think\":\"low\"", "low")]
    [InlineData(",\"think\":\"max\"", "high")]
    public async Task Chat_Level_ReachesTheTemplateAndFalseIsIgnored(string field, string level)
    {
        Job job = await JobAsync($$"""{"model":"oss",{{Hi}}{{field}}}""");

        job.Prompt.ShouldContain($"Reasoning: {level}\n");
        job.Parsing.ShouldBe(new OutputParsing { Harmony = "" });
    }

    [Fact]
    public async Task Chat_ToolWithFieldsTwice_IsRenderedAsTheLastOnesSay()
    {
        Job job = await JobAsync($$$"""
            {"model":"oss",{{{Hi}}},"tools":[{"type":"function","type":"function","function":{"name":"e"},"function":{"name":"e","name":"f","parameters":{"type":"object","type":"object"} } }]}
            """);

        job.Prompt.ShouldContain("type f = ");
        job.Prompt.ShouldNotContain("type e = ");
    }

    [Fact]
    public async Task Chat_PastTurns_AreRenderedInChannels()
    {
        Job job = await JobAsync($$$"""
            {"model":"oss","tools":{{{Tools}}},"messages":[{"role":"user","content":"hi"},
             {"role":"assistant","content":"I look it up.","thinking":"Two.","tool_calls":[{"function":{"name":"f","arguments":{"a":1} } },{"function":{"name":"g","arguments":{} } }]},
             {"role":"tool","content":"7","tool_name":"f"},{"role":"tool","content":"8","tool_name":"g"},
             {"role":"assistant","content":"Done.","thinking":"Easy."},{"role":"user","content":"and?"}]}
            """);

        job.Prompt.ShouldEndWith("<|start|>user<|message|>hi<|end|><|start|>assistant<|channel|>analysis<|message|>Two.\n\nI look it up.<|end|>"
            + "<|start|>assistant to=functions.f<|channel|>commentary json<|message|>{\"a\": 1}<|call|><|start|>functions.f to=assistant<|channel|>commentary<|message|>\"7\"<|end|>"
            + "<|start|>assistant to=functions.g<|channel|>commentary json<|message|>{}<|call|><|start|>functions.g to=assistant<|channel|>commentary<|message|>\"8\"<|end|>"
            + "<|start|>assistant<|channel|>final<|message|>Done.<|end|><|start|>user<|message|>and?<|end|><|start|>assistant");
    }

    [Theory]
    [InlineData("", true)]
    [InlineData(",\"think\":false", false)]
    public async Task Chat_Format_BindsTheFinalChannel(string field, bool mayThink)
    {
        Job job = await JobAsync($$"""{"model":"oss","format":"json",{{Hi}}{{field}}}""");

        job.Options.Grammar.ShouldNotBeNull().ShouldContain(GbnfOf("<|channel|>final"));
        job.Options.Grammar.Contains(GbnfOf("<|channel|>analysis"), StringComparison.Ordinal).ShouldBe(mayThink);
    }

    [Fact]
    public async Task Chat_RequiredCall_IsAMessageToTheFunction()
    {
        await using EdgeServer edge = await StartAsync();
        edge.Jobs.Script = job => job.Accept().Finish();

        await PostAsync(edge, "/v1/chat/completions", $$"""{"model":"oss",{{Hi}},"tools":{{Tools}},"tool_choice":"required"}""");

        (await edge.Jobs.NextAsync()).Job.Options.Grammar.ShouldNotBeNull().ShouldContain($"{GbnfOf("commentary to=functions.")}\" \"{GbnfOf("f")}\"");
    }

    [Theory]
    [InlineData("", null)]
    [InlineData(",\"think\":true", "")]
    public async Task Generate_RawPrompt_IsTakenApartOnlyWhereAsked(string field, string? begun)
    {
        await using EdgeServer edge = await StartAsync();
        edge.Jobs.Script = job => job.Accept().Finish();

        await PostAsync(edge, "/api/generate", $$"""{"model":"oss","prompt":"hi","raw":true{{field}}}""");

        (await edge.Jobs.NextAsync()).Job.Parsing.Harmony.ShouldBe(begun);
    }

    /// <summary>As a grammar has it: each character by its number.</summary>
    private static string GbnfOf(string text) => string.Concat(text.Select(c => $"\\x{(int)c:X2}"));

    private static async Task<Job> JobAsync(string body)
    {
        await using EdgeServer edge = await StartAsync();
        edge.Jobs.Script = job => job.Accept().Finish();
        await PostAsync(edge, "/api/chat", body);
        return (await edge.Jobs.NextAsync()).Job;
    }

    private static async Task<string> PostAsync(EdgeServer edge, string path, string body)
    {
        using HttpResponseMessage response = await edge.PostAsync(path, body);
        string text = await response.TextAsync();
        response.StatusCode.ShouldBe(HttpStatusCode.OK, text);
        return text;
    }

    private static async Task<EdgeServer> StartAsync()
    {
        // The machine may be slow: what templates may cost is not what is tested.
        EdgeServer edge = await EdgeServer.StartAsync(services: services =>
            services.AddSingleton<IPromptRenderer>(_ => TemplateModels.Templates(configure: options => options.RenderTimeout = TimeSpan.FromMinutes(1))));
        edge.Models.Add(FixedModels.Able with { Name = ModelName.Parse("oss"), Template = TemplateShapes.GptOss, FillInTheMiddle = null });
        return edge;
    }
}
