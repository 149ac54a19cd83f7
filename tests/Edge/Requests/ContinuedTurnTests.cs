using System.Net;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.Requests;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Edge.Tests.Templates;
using OllamaMax.Jobs;
using OllamaMax.Models;

namespace OllamaMax.Edge.Tests.Requests;

/// <summary>Conversations that end with the assistant's words: the answer goes on with them.</summary>
public sealed class ContinuedTurnTests
{
    private const string Format = "{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"n\",\"schema\":{\"type\":\"object\"}}}";

    /// <summary>Answers stand in a channel, as with gpt-oss.</summary>
    private const string Channels = """
        {%- for m in messages %}{{ '<|start|>' + m.role }}{% if m.role == 'assistant' %}<|channel|>final{% endif %}{{ '<|message|>' + m.content | trim + '<|end|>' }}{% endfor %}
        {%- if add_generation_prompt %}<|start|>assistant{% endif %}
        """;

    private const string RefusesToEndSo = """
        {%- for m in messages %}{% if loop.last and m.role == 'assistant' %}{{ raise_exception('not last') }}{% endif %}[{{ m.role }}]{{ m.content }}{% endfor %}
        {%- if add_generation_prompt %}[assistant]{% endif %}
        """;

    [Theory]
    [InlineData("/api/chat", "\"stream\":false")]
    [InlineData("/v1/chat/completions", "\"n\":1")]
    [InlineData("/v1/messages", "\"max_tokens\":9")]
    public async Task Chat_AssistantsMessageLast_IsWhereTheAnswerGoesOn(string path, string field)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Say(" blue").Finish();

        using HttpResponseMessage response = await edge.PostAsync(
            path, $$"""{"model":"demo",{{field}},"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"The sky is"}]}""");

        response.StatusCode.ShouldBe(HttpStatusCode.OK, await response.TextAsync());
        (await edge.Jobs.NextAsync()).Job.Prompt.ShouldBe("<user>hi<assistant>The sky is");
        (await response.TextAsync()).ShouldContain("\" blue\"");
    }

    [Theory]
    [InlineData(TemplateShapes.Qwen3, "<|im_start|>assistant\n<think>\n\n</think>\n\nOne ")]
    [InlineData(TemplateShapes.DeepSeekR1, "<｜Assistant｜><think>\n\n</think>\n\nOne ")]
    [InlineData(TemplateShapes.Gemma, "<start_of_turn>model\nOne ")]
    [InlineData(TemplateShapes.Llama3, "<|start_header_id|>assistant<|end_header_id|>\n\nOne ")]
    [InlineData(Channels, "<|start|>assistant<|channel|>final<|message|>One ")]
    [InlineData(RefusesToEndSo, "[assistant]One ")]
    public async Task Prompt_Template_EndsAsItsOwnTurnBegins(string template, string end)
    {
        Job job = await JobAsync(template, "{\"role\":\"assistant\",\"content\":\"One \"}");

        job.Prompt.ShouldEndWith(end);
        (job.Parsing.Thinking?.IsOpen).ShouldNotBe(true);
    }

    [Theory]
    [InlineData(TemplateShapes.Qwen3, "assistant\n<think>\nhm\n</think>\n\nOne")]
    [InlineData(TemplateShapes.DeepSeekR1, "<｜Assistant｜><think>\nhm\n</think>\n\nOne")]
    public async Task Prompt_ReasoningOfTheMessage_StandsBeforeIt(string template, string end)
    {
        Job job = await JobAsync(template, "{\"role\":\"assistant\",\"content\":\"One\",\"thinking\":\"hm\"}");

        job.Prompt.ShouldEndWith(end);
        job.Parsing.Thinking!.IsOpen.ShouldBeFalse();
    }

    [Theory]
    [InlineData(TemplateShapes.Qwen3, "<think>\\nhm,", "assistant\n<think>\nhm,", true)]
    [InlineData(TemplateShapes.DeepSeekR1, "<think>\\nhm,", "<｜Assistant｜><think>\nhm,", true)]
    [InlineData(TemplateShapes.DeepSeekR1, "<think>hm</think>One", "<｜Assistant｜><think>hm</think>One", false)]
    public async Task Prompt_ReasoningInTheText_IsBegunOnce(string template, string text, string end, bool isOpen)
    {
        Job job = await JobAsync(template, $$"""{"role":"assistant","content":"{{text}}"}""");

        job.Prompt.ShouldEndWith(end);
        job.Parsing.Thinking!.IsOpen.ShouldBe(isOpen);
    }

    [Fact]
    public async Task Chat_AnswerInTags_GoesOnBetweenThem()
    {
        const string command = """
            {%- for m in messages %}[{{ m.role }}]{% if m.role == 'assistant' %}<|START_RESPONSE|>{{ m.content }}<|END_RESPONSE|>{% else %}{{ m.content }}{% endif %}{% endfor %}
            {%- if add_generation_prompt %}[assistant]<|START_THINKING|><|END_THINKING|>{% endif %}
            """;

        Job job = await JobAsync(command, "{\"role\":\"assistant\",\"content\":\"The sky is\"}");

        job.Prompt.ShouldEndWith("[assistant]<|START_RESPONSE|>The sky is");
        job.Parsing.Answer.ShouldBe(new("<|START_RESPONSE|>", "<|END_RESPONSE|>", IsBegun: true));
    }

    [Theory]
    [InlineData("/api/chat", "\"format\":\"json\"")]
    [InlineData("/v1/chat/completions", "\"response_format\":" + Format)]
    [InlineData("/v1/chat/completions", "\"tool_choice\":\"required\",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}]")]
    [InlineData("/v1/messages", "\"max_tokens\":9,\"output_config\":{\"format\":{\"type\":\"json_schema\",\"schema\":{\"type\":\"object\"}}}")]
    public async Task Chat_AnswerThatIsHeldToAForm_DoesNotGoOn(string path, string field)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Models.Add(FixedModels.Able);

        using HttpResponseMessage response = await edge.PostAsync(
            path, $$"""{"model":"able",{{field}},"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"{"}]}""");

        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await response.TextAsync()).ShouldContain("messages must not end with the assistant");
    }

    [Fact]
    public async Task Chat_CallsLast_AreATurnOfTheirOwn()
    {
        Job job = await JobAsync("{% for m in messages %}[{{ m.role }}]{% endfor %}{% if add_generation_prompt %}[next]{% endif %}",
            "{\"role\":\"assistant\",\"content\":\"x\",\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":{}}}]}");

        job.Prompt.ShouldBe("[user][assistant][next]");
    }

    [Fact]
    public async Task Chat_ForwardedModel_IsGivenTheMessages()
    {
        ForwardedModel far = new() { Kind = "ollama", Model = "far", Name = "far", Capabilities = ["completion"], Family = "qwen3", ContextLength = 4096 };
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Models.Add(far.ToView(ModelName.Parse(far.Name)));
        edge.Jobs.Script = job => job.Accept().Finish();

        using HttpResponseMessage response = await edge.PostAsync(
            "/v1/messages", """{"model":"far","max_tokens":9,"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"{"}]}""");

        Job job = (await edge.Jobs.NextAsync()).Job;
        job.Forward.ShouldNotBeNull().Messages.Select(message => message.Role).ShouldBe(["user", "assistant"]);
    }

    private static async Task<Job> JobAsync(string template, string last)
    {
        // The machine may be slow: what templates may cost is not what is tested.
        await using EdgeServer edge = await EdgeServer.StartAsync(services: services => services.AddSingleton<IPromptRenderer>(
            _ => TemplateModels.Templates(configure: options => options.RenderTimeout = TimeSpan.FromMinutes(1))));
        edge.Models.Add(FixedModels.Able with { Template = template });
        edge.Jobs.Script = job => job.Accept().Finish();
        using HttpResponseMessage response = await edge.PostAsync(
            "/api/chat", $$"""{"model":"able","messages":[{"role":"user","content":"hi"},{{last}}]}""");
        response.StatusCode.ShouldBe(HttpStatusCode.OK, await response.TextAsync());
        return (await edge.Jobs.NextAsync()).Job;
    }
}
