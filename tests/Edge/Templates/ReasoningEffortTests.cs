using System.Text.Json;
using OllamaMax.Edge.Templates;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Tests.Templates;

public sealed class ReasoningEffortTests
{
    private const string GptOss = "{%- if reasoning_effort is not defined %}{%- set reasoning_effort = \"medium\" %}{%- endif %}";
    private const string Mistral4 = "{%- set reasoning_effort = reasoning_effort if reasoning_effort is defined else 'none' %}{%- if reasoning_effort not in ['none', 'high'] %}{{ raise_exception('no') }}{% endif %}";
    private const string Strict = "{%- set reasoning_effort = reasoning_effort | default('xhigh') %}{%- if reasoning_effort not in ('xhigh', 'medium', 'low') %}{% endif %}";
    private const string Command = "{%- set reasoning = reasoning if reasoning is not undefined else (false if reasoning_effort is defined and reasoning_effort | lower == \"none\" else true) -%}";
    private const string Glimmer = "{%- set rs = reasoning_strength if reasoning_strength is defined and reasoning_strength else 'high' -%}";

    [Theory]
    [InlineData(GptOss, true, null, null)]
    [InlineData(GptOss, true, "low", "low")]
    [InlineData(GptOss, null, "high", "high")]
    [InlineData(GptOss, false, null, null)]
    [InlineData(Mistral4, true, null, "high")]
    [InlineData(Mistral4, false, null, "none")]
    [InlineData(Mistral4, true, "low", "high")]
    [InlineData(Mistral4, null, null, null)]
    [InlineData(Strict, true, "high", "xhigh")]
    [InlineData(Strict, true, "low", "low")]
    [InlineData(Strict, true, null, null)]
    [InlineData(Strict, false, null, null)]
    [InlineData(Command, false, null, "none")]
    [InlineData(Command, true, null, null)]
    [InlineData(Glimmer, false, null, "none")]
    [InlineData(Glimmer, true, "medium", "medium")]
    [InlineData(Glimmer, true, null, null)]
    [InlineData("{% if enable_thinking %}{% endif %}", false, null, null)]
    [InlineData("{% if enable_thinking %}{% endif %}", true, "low", "low")]
    public void Of_TemplateAndRequest_InTheTemplatesWords(string template, bool? think, string? level, string? effort) =>
        ReasoningEffort.Of(template, new TemplateOptions { Think = think, ReasoningEffort = level }).ShouldBe(effort);

    /// <summary>A client's own template may be as long as it likes: looked through once, it takes no time.</summary>
    [Fact]
    public void Of_TagsThatNeverEnd_ReadNothing()
    {
        string template = string.Concat(Enumerable.Repeat("{% in(", 4000)) + string.Concat(Enumerable.Repeat("reasoning_effort ", 2300));

        ReasoningEffort.Of(template, new TemplateOptions { Think = true, ReasoningEffort = "low" }).ShouldBe("low");
        ReasoningEffort.Of(template + "%}", new TemplateOptions { Think = true, ReasoningEffort = "low" }).ShouldBe("low");
    }

    [Fact]
    public void Render_ReasoningStrength_IsTheVariableOfItsName()
    {
        using PromptTemplates templates = TemplateModels.Templates();

        templates.Render(TemplateModels.With(Glimmer + "{{ rs }}"), [new("user", "Hello")], [], true, new TemplateOptions { Think = false }).ShouldBe("none");
    }

    [Fact]
    public void Render_ReasoningAsAPartOfTheContent_StandsInTheTurn()
    {
        const string ministral = """
            {%- for m in messages %}{%- if m['content'] is string %}{{- m['content'] }}{%- else %}{%- for block in m['content'] %}
            {%- if block['type'] == 'text' %}{{- block['text'] }}{%- elif block['type'] == 'thinking' %}{{- '[THINK]' + block['thinking'] + '[/THINK]' }}{%- endif %}
            {%- endfor %}{%- endif %}{%- for c in m['tool_calls'] or [] %}{{- '[TOOL_CALLS]' + c['function']['name'] }}{%- endfor %}|{%- endfor %}
            """;
        JsonElement call = JsonElement.Parse("""{"function":{"name":"f","arguments":{}}}""");
        ChatMessage[] turns = [new("user", "Hello"), new("assistant", "") { Thinking = "hm", ToolCalls = [call] }, new("tool", "1"), new("assistant", "Hi") { Thinking = "oh" }, new("user", "Bye")];
        using PromptTemplates templates = TemplateModels.Templates();

        templates.Render(TemplateModels.With(ministral), turns, [], true).ShouldBe("Hello|[THINK]hm[/THINK][TOOL_CALLS]f|1|[THINK]oh[/THINK]Hi|Bye|");
        templates.Render(TemplateModels.With(ministral + "{# reasoning_content #}"), turns, [], true).ShouldBe("Hello|[TOOL_CALLS]f|1|Hi|Bye|");
    }
}
