using OllamaMax.Edge.Templates;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Tests.Templates;

/// <summary>A template comes with a model from anywhere: it may cost some time and memory, and nothing else.</summary>
public sealed class PromptTemplatesHostileTests
{
    private static readonly ChatMessage[] Hello = [new("user", "hello")];

    [Theory]
    [InlineData("{% for a in range(100000) %}{% for b in range(100000) %}{% for c in range(100000) %}{% endfor %}{% endfor %}{% endfor %}")]
    [InlineData("{% set ns = namespace(t='xxxxxxxx') %}{% for i in range(60) %}{% set ns.t = ns.t ~ ns.t %}{% endfor %}{{ ns.t }}")]
    [InlineData("{{ range(1000000000) | length }}")]
    [InlineData("{{ 'x' | indent(2000000000) }}")]
    [InlineData("{{ {'a': 1} | tojson(indent=2000000000) }}")]
    [InlineData("{% set ns = namespace(t=range(50000)|join('xxxxxxxxxxxxxxxxxxxxxxxx')) %}{{ range(50000)|join(ns.t) }}")]
    [InlineData("{{ '%2000000000d' % 3 }}")]
    [InlineData("{{ '{:<2000000000}'.format(3) }}")]
    [InlineData("{% set l = [1] %}{% for i in range(60) %}{% do l.extend(l) %}{% endfor %}")]
    [InlineData("{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}")]
    [InlineData("{% macro f(x) %}{{ f(x) }}{% endmacro %}{{ f(1) }}")]
    public void Render_TemplateWithoutMeasure_IsStopped(string template)
    {
        using PromptTemplates templates = TemplateModels.Templates(configure: o => o.RenderTimeout = TimeSpan.FromSeconds(1));
        templates.WarmUp(TemplateModels.Demo);

        // Each would run for hours.
        TemplateException error = Should.Throw<TemplateException>(() => templates.Render(TemplateModels.With(template), Hello, [], true));

        error.IsRefusal.ShouldBeFalse();
        error.Message.Length.ShouldBeLessThan(500);
        templates.Render(TemplateModels.Demo, Hello, [], true).ShouldContain("hello");
    }

    [Theory]
    [InlineData("(", ")")]
    [InlineData("[", "]")]
    [InlineData("-", "")]
    [InlineData("not ", "")]
    public void Render_ExpressionsNestedTooDeep_DoNotEndTheProcess(string open, string close)
    {
        using PromptTemplates templates = TemplateModels.Templates();
        string template = "{{ " + string.Concat(Enumerable.Repeat(open, 20_000)) + "1" + string.Concat(Enumerable.Repeat(close, 20_000)) + " }}";

        Should.Throw<TemplateException>(() => templates.Render(TemplateModels.With(template), Hello, [], true)).IsRefusal.ShouldBeFalse();
    }

    [Theory]
    [InlineData("{{ messages.constructor }}")]
    [InlineData("{{ messages.append.constructor }}")]
    [InlineData("{{ ''.toString() }}")]
    [InlineData("{{ {}.hasOwnProperty('x') }}")]
    [InlineData("{{ ''.constructor.constructor('return 1')() }}")]
    [InlineData("{{ module.exports }}")]
    [InlineData("{{ messages[0].__proto__.x }}")]
    [InlineData("{{ System.IO.File }}")]
    public void Render_TemplateThatReachesOut_FindsNothing(string template)
    {
        using PromptTemplates templates = TemplateModels.Templates();
        string? prompt = null;
        try
        {
            prompt = templates.Render(TemplateModels.With(template), Hello, [], true);
        }
        catch (TemplateException)
        {
            // Being refused is as good as finding nothing.
        }
        string.IsNullOrEmpty(prompt).ShouldBeTrue(prompt);
    }

    [Fact]
    public void Render_LongConversation_StaysWithinTheDefaultLimits()
    {
        using PromptTemplates templates = TemplateModels.Templates();
        ChatMessage[] messages = [.. Enumerable.Range(0, 400).Select(i => new ChatMessage(i % 2 == 0 ? "user" : "assistant", new string('x', 5_000)))];

        templates.Render(TemplateModels.With(TemplateShapes.Qwen3), messages, [], true).Length.ShouldBeGreaterThan(2_000_000);
    }
}
