using System.Text.Json;
using OllamaMax.Edge.Templates;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Tests.Templates;

public sealed class AdaptedTurnsTests
{
    /// <summary>Like that of Qwen3.5.</summary>
    private const string SystemFirst = """
        {%- for m in messages %}{% if m.role == 'system' and not loop.first %}{{ raise_exception('System message must be at the beginning.') }}{% endif %}<{{ m.role }}>{{ m.content }}{% endfor %}
        """;

    /// <summary>Like that of gpt-oss: what is neither of these roles is passed over.</summary>
    private const string SkipsOthers = """
        {%- for m in messages %}{% if loop.first or m.role in ['user', 'assistant'] %}<{{ m.role }}>{{ m.content | trim }}{% endif %}{% endfor %}
        """;

    /// <summary>Like that of DeepSeek R1.</summary>
    private const string KeepsTheLast = """
        {%- set ns = namespace(system='') %}{% for m in messages %}{% if m.role == 'system' %}{% set ns.system = m.content %}{% endif %}{% endfor %}{{ ns.system }}
        {%- for m in messages %}{% if m.role != 'system' %}<{{ m.role }}>{{ m.content }}{% endif %}{% endfor %}
        """;

    private static readonly ChatMessage Head = new("system", "head");
    private static readonly ChatMessage User = new("user", "one");
    private static readonly ChatMessage Late = new("system", " late\n");
    private static readonly ChatMessage Call = new("assistant", "") { ToolCalls = [TemplateModels.Call] };
    private static readonly ChatMessage Result = new("tool", "42") { ToolName = "get_weather" };

    [Theory]
    [InlineData(SystemFirst, "<system>head<user>one\n\n late\n<assistant>two<user>three\n\n late\n")]
    [InlineData(SkipsOthers, "<system>head<user>one\n\n late<assistant>two<user>three\n\n late")]
    [InlineData(KeepsTheLast, "head<user>one\n\n late\n<assistant>two<user>three\n\n late\n")]
    public void Render_LateSystemThatHasNoPlace_IsTheUsersInItsPlace(string template, string prompt) =>
        Rendered(template, Head, User, Late, new("assistant", "two"), new("user", "three"), Late).ShouldBe(prompt);

    [Fact]
    public void Render_LateSystemThatHasAPlace_StaysWhatItIs() =>
        Rendered(TemplateShapes.Qwen3, Head, User, Late).ShouldContain("<|im_start|>user\none<|im_end|>\n<|im_start|>system\n late\n<|im_end|>");

    [Fact]
    public void Render_LateSystemForAModelWhoseRolesAlternate_JoinsItsNeighbours() =>
        Rendered(TemplateShapes.Mistral, User, Late, new("user", "two"), new("assistant", "three"), new("user", "four"))
            .ShouldBe("<s>[INST] one\n\n late\n\n\ntwo[/INST] three</s>[INST] four[/INST]");

    [Fact]
    public void Render_SeveralCallsAtOnceThatAreRefused_AreTurnsWithTheirResults()
    {
        JsonElement other = JsonElement.Parse("""{"function":{"name":"other","arguments":{}}}""");
        string prompt = Rendered(
            TemplateShapes.Llama3, Head, User, Call with { ToolCalls = [TemplateModels.Call, other] }, Result, new("tool", "43") { ToolName = "other" }, new("assistant", "so"), new("user", "thanks"));

        prompt.ShouldContain("\n\nhead<|eot_id|>");
        prompt.ShouldMatch("(?s)\"name\": \"get_weather\".*42.*\"name\": \"other\".*43.*so<");
    }

    [Fact]
    public void Render_SeveralCallsAtOnceThatAreTaken_StayOneTurnBesideALateSystem()
    {
        const string keepsTheLast = KeepsTheLast + "{% for m in messages %}{% if m.tool_calls %}[{{ m.tool_calls | length }}]{% endif %}{% endfor %}";

        Rendered(keepsTheLast, Head, User, Call with { ToolCalls = [TemplateModels.Call, TemplateModels.Call] }, Result, Result, Late, new("user", "and now?")).ShouldEndWith("[2]");
    }

    [Fact]
    public void Render_TextBehindAResultThatIsRefused_IsPartOfTheResult()
    {
        string before = Rendered(TemplateShapes.Mistral, User, Call, Result);
        string prompt = Rendered(TemplateShapes.Mistral, User, Call, Result, Late, new("user", "and now?"), new("assistant", "so"), new("user", "thanks"));

        before.ShouldContain("{\"content\": 42, \"call_id\"");
        prompt.ShouldContain("{\"content\": 42\n\n late\n\n\nand now?, \"call_id\": \"call00001\"}[/TOOL_RESULTS] so</s>[INST] thanks[/INST]");
    }

    [Fact]
    public void Render_TextBehindAResultThatIsTaken_StaysTheUsers() =>
        Rendered(TemplateShapes.Qwen3, User, Call, Result, new("user", "and now?")).ShouldContain("42\n</tool_response><|im_end|>\n<|im_start|>user\nand now?<|im_end|>");

    [Fact]
    public void Render_RefusedInAllForms_GivesTheFirstRefusal() =>
        Should.Throw<TemplateException>(() => Rendered("{% for m in messages %}{{ raise_exception('no ' + (messages|length|string)) }}{% endfor %}", User, Late, Call, Result, User))
            .Message.ShouldBe("no 5");

    private static string Rendered(string template, params ChatMessage[] messages)
    {
        // The machine may be slow: what templates may cost is not what is tested.
        using PromptTemplates templates = TemplateModels.Templates(configure: options => options.RenderTimeout = TimeSpan.FromMinutes(1));
        return templates.Render(TemplateModels.With(template), messages, [], addGenerationPrompt: false);
    }
}
