using System.Net;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.Requests;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Edge.Tests.Templates;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Tests.Ollama;

/// <summary>Prompts that are not simply the model's template: filled in, by the request's template; and real templates.</summary>
public sealed class PromptTests
{
    [Fact]
    public async Task Generate_Suffix_PutsBothBetweenTheModelsTokens()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Models.Add(FixedModels.Able);
        edge.Jobs.Script = job => job.Accept().Finish();

        using HttpResponseMessage response = await edge.PostAsync("/api/generate", """{"model":"able","prompt":"def f(","suffix":"return 1"}""");

        Job job = (await edge.Jobs.NextAsync()).Job;
        job.Prompt.ShouldBe("<PRE>def f(<SUF>return 1<MID>");
        job.Parsing.ShouldBe(OutputParsing.None);
    }

    [Fact]
    public async Task Generate_JinjaTemplate_TakesTheModelsPlace()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync(services: UseRealTemplates);
        edge.Jobs.Script = job => job.Accept().Finish();

        using HttpResponseMessage response = await edge.PostAsync(
            "/api/generate", """{"model":"plain","prompt":"hi","system":"be brief","template":"{% for m in messages %}[{{ m.role }}] {{ m.content }} {% endfor %}"}""");

        (await edge.Jobs.NextAsync()).Job.Prompt.ShouldBe("[system] be brief [user] hi ");
    }

    [Theory]
    [InlineData("/api/chat", "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]", "\"message\":{\"role\":\"assistant\",\"content\":\"\"}", "<user>hi<assistant>")]
    [InlineData("/api/generate", "\"prompt\":\"hi\",\"system\":\"be brief\"", "\"response\":\"\"", "<system>be brief<user>hi<assistant>")]
    [InlineData("/api/generate", "\"prompt\":\"hi\",\"raw\":true", "\"response\":\"\"", "hi")]
    public async Task RenderOnly_ShowsThePromptAndRunsNothing(string path, string fields, string empty, string prompt)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();

        using HttpResponseMessage response = await edge.PostAsync(path, $$"""{"model":"demo",{{fields}},"_debug_render_only":true}""");

        string answer = await response.TextAsync();
        answer.ShouldStartWith("{\"model\":\"demo\",\"created_at\":\"");
        answer.ShouldEndWith($"{empty},\"done\":false,\"_debug_info\":{{\"rendered_template\":\"{prompt}\"}}}}");
        edge.Jobs.Count.ShouldBe(0);
    }

    [Theory]
    [InlineData("{% for x in %}", "the request's template is broken")]
    [InlineData("{{ raise_exception('no') }}", "the request's template refuses the messages: no")]
    public async Task Generate_TemplateThatFails_IsTheRequestsFault(string template, string message)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync(services: UseRealTemplates);

        using HttpResponseMessage response = await edge.PostAsync("/api/generate", $$"""{"model":"demo","prompt":"hi","template":"{{template}}"}""");

        (await response.ErrorAsync(HttpStatusCode.BadRequest)).ShouldContain(message);
    }

    [Fact]
    public async Task Generate_ModelsTemplateBreaks_IsTheServersFault()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();

        using HttpResponseMessage response = await edge.PostAsync("/api/generate", """{"model":"demo","prompt":"break"}""");

        (await response.ErrorAsync(HttpStatusCode.InternalServerError)).ShouldContain("the model's chat template is broken");
    }

    [Theory]
    [InlineData("true", false, "<|im_start|>assistant\n")]
    [InlineData("false", false, "<think>\n\n</think>\n\n")]
    public async Task Chat_TemplateLikeQwen3_IsUnderstood(string think, bool isOpen, string end) =>
        await CheckAsync(TemplateShapes.Qwen3, think, ToolCallForm.Hermes, isOpen, end);

    [Theory]
    [InlineData("true")]
    [InlineData("false")]
    public async Task Chat_TemplateLikeDeepSeekR1_BeginsInsideTheReasoning(string think) =>
        await CheckAsync(TemplateShapes.DeepSeekR1, think, ToolCallForm.None, isOpen: true, "<think>\n");

    [Theory]
    [InlineData("/api/chat", "\"stream\":false")]
    [InlineData("/v1/chat/completions", "\"n\":1")]
    [InlineData("/v1/messages", "\"max_tokens\":9")]
    public async Task Chat_NeighboursOfOneRole_AreOneTurnForATemplateThatInsistsOnIt(string path, string field)
    {
        const string insists = """
            {%- for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate') }}{% endif %}[{{ m.content }}]{% endfor %}
            """;
        await using EdgeServer edge = await EdgeServer.StartAsync(services: UseRealTemplates);
        edge.Models.Add(FixedModels.Able with { Template = insists });
        edge.Jobs.Script = job => job.Accept().Finish();

        using HttpResponseMessage response = await edge.PostAsync(path, $$"""
            {"model":"able",{{field}},"messages":[{"role":"user","content":"one"},{"role":"user","content":"two"},
             {"role":"assistant","content":"three"},{"role":"assistant","content":"four"},{"role":"user","content":"five"}]}
            """);

        response.StatusCode.ShouldBe(HttpStatusCode.OK, await response.TextAsync());
        (await edge.Jobs.NextAsync()).Job.Prompt.ShouldBe("[one\n\ntwo][three\n\nfour][five]");
    }

    private static async Task CheckAsync(string template, string think, ToolCallForm form, bool isOpen, string end)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync(services: UseRealTemplates);
        edge.Models.Add(FixedModels.Able with { Template = template });
        edge.Jobs.Script = job => job.Accept().Finish();

        using HttpResponseMessage response = await edge.PostAsync("/api/chat", $$"""
            {"model":"able","think":{{think}},"messages":[{"role":"user","content":"hi"}],"tools":[{"type":"function","function":{"name":"f"} }]}
            """);

        Job job = (await edge.Jobs.NextAsync()).Job;
        job.Prompt.ShouldEndWith(end);
        job.Parsing.ShouldBe(new OutputParsing { Thinking = new("<think>", "</think>", isOpen), ToolCalls = form });
    }

    private static void UseRealTemplates(IServiceCollection services) =>
        // The machine may be slow: what templates may cost is not what is tested.
        services.AddSingleton<IPromptRenderer>(_ => TemplateModels.Templates(configure: options => options.RenderTimeout = TimeSpan.FromMinutes(1)));
}
