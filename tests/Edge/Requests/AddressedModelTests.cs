using System.Net;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.Requests;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Edge.Tests.Templates;
using OllamaMax.Jobs;
using OllamaMax.Models;

namespace OllamaMax.Edge.Tests.Requests;

/// <summary>A model that writes messages to recipients (Muse Glimmer): its marks are never seen, and what a client sends back is rendered.</summary>
public sealed class AddressedModelTests
{
    private const string Hi = "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]";
    private const string Tools = "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":{\"type\":\"object\",\"properties\":{\"s\":{\"type\":\"string\"}}}}}]";

    /// <summary>In the manner of the model's.</summary>
    private const string Template = """
        {%- set rs = reasoning_strength if reasoning_strength is defined and reasoning_strength else 'high' -%}
        {{- '<|start|>system<|message|>Reasoning strength: ' + rs + '.' -}}
        {%- for t in tools or [] -%}{{- t.function.name -}}{{- '<atem:invoke name="$NAME"><atem:parameter name="$KEY">' -}}{%- endfor -%}
        {{- '<|eot|>' -}}
        {%- for m in messages -%}
            {%- if m.role != 'assistant' -%}{{- '<|start|>' + m.role + '<|message|>' + m.content + '<|eot|>' -}}
            {%- else -%}
                {%- if m.get('reasoning_content') -%}{{- '<|start|>assistant to=self<|message|>' + m['reasoning_content'] + '<|eom|>' -}}{%- endif -%}
                {{- '<|start|>assistant to=user<|message|>' + m.content + '<|eot|>' -}}
            {%- endif -%}
        {%- endfor -%}
        {%- if add_generation_prompt -%}{{- '<|start|>assistant' -}}{%- endif -%}
        """;

    [Theory]
    [InlineData("/api/chat", Hi, "\"content\":\"Hello.\",\"thinking\":\"Easy.\"")]
    [InlineData("/v1/chat/completions", Hi, "\"reasoning_content\":\"Easy.\"")]
    [InlineData("/v1/messages", Hi + ",\"max_tokens\":99", "{\"type\":\"text\",\"text\":\"Hello.\"}")]
    public async Task Answer_Messages_HasReasoningAndTextApart(string path, string field, string parts)
    {
        await using EdgeServer edge = await StartAsync(" to=self<|message|>Easy.<|eom|><|start|>assistant to=user<|message|>Hello.<|eot|>");

        string whole = await PostAsync(edge, path, $$"""{"model":"glimmer","stream":false,{{field}}}""");
        string stream = await PostAsync(edge, path, $$"""{"model":"glimmer","stream":true,{{field}}}""");

        whole.ShouldContain(parts);
        stream.ShouldContain("\"Hello.\"");
        (whole + stream).ShouldNotContain("<|");
        (await edge.Jobs.NextAsync()).Job.Parsing.ShouldBe(new OutputParsing { Addressed = "" });
    }

    [Fact]
    public async Task Answer_MessageToAFunction_IsACall()
    {
        await using EdgeServer edge = await StartAsync(
            " to=f<|message|><atem:function_calls>\n<atem:invoke name=\"f\">\n<atem:parameter name=\"s\">12</atem:parameter>\n</atem:invoke>\n</atem:function_calls><|eot|>");

        (await PostAsync(edge, "/api/chat", $$"""{"model":"glimmer","stream":false,{{Hi}},{{Tools}}}""")).ShouldContain("\"name\":\"f\",\"arguments\":{\"s\":\"12\"}");
    }

    [Theory]
    [InlineData("", "high")]
    [InlineData(",\"think\":false", "none")]
    [InlineData(",\"think\":\"low\"", "low")]
    public async Task Chat_Level_ReachesTheTemplate(string field, string level)
    {
        await using EdgeServer edge = await StartAsync("");

        await PostAsync(edge, "/api/chat", $$"""{"model":"glimmer",{{Hi}}{{field}}}""");

        (await edge.Jobs.NextAsync()).Job.Prompt.ShouldContain($"Reasoning strength: {level}.<|eot|>");
    }

    [Fact]
    public async Task Chat_OwnWordsLast_GoOnInTheirMessage()
    {
        await using EdgeServer edge = await StartAsync(" there<|eot|>");

        string answer = await PostAsync(edge, "/api/chat", """
            {"model":"glimmer","stream":false,"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"Hello"}]}
            """);

        answer.ShouldContain("\"content\":\" there\"");
        (await edge.Jobs.NextAsync()).Job.Prompt.ShouldEndWith("<|start|>user<|message|>hi<|eot|><|start|>assistant to=user<|message|>Hello");
    }

    [Fact]
    public async Task Chat_Format_BindsTheMessageToTheUser()
    {
        await using EdgeServer edge = await StartAsync("");

        await PostAsync(edge, "/api/chat", $$"""{"model":"glimmer",{{Hi}},"format":"json"}""");

        (await edge.Jobs.NextAsync()).Job.Options.Grammar.ShouldNotBeNull().ShouldContain("in-answer");
    }

    [Fact]
    public async Task Chat_RequiredCall_IsRefused()
    {
        await using EdgeServer edge = await StartAsync("");

        using HttpResponseMessage response = await edge.PostAsync("/v1/chat/completions", $$"""{"model":"glimmer",{{Hi}},{{Tools}},"tool_choice":"required"}""");

        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await response.TextAsync()).ShouldContain("tool_choice");
    }

    private static async Task<EdgeServer> StartAsync(string answer)
    {
        EdgeServer edge = await EdgeServer.StartAsync(services: services => services.AddSingleton<IPromptRenderer>(
            _ => TemplateModels.Templates(configure: options => options.RenderTimeout = TimeSpan.FromMinutes(1))));
        edge.Models.Add(FixedModels.Able with { Name = ModelName.Parse("glimmer"), Template = Template });
        edge.Jobs.Script = job => job.Accept().Write(answer).Finish();
        return edge;
    }

    private static async Task<string> PostAsync(EdgeServer edge, string path, string body)
    {
        using HttpResponseMessage response = await edge.PostAsync(path, body);
        response.StatusCode.ShouldBe(HttpStatusCode.OK, await response.TextAsync());
        return await response.TextAsync();
    }
}
