using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using OllamaMax.Edge.Templates;
using OllamaMax.Jobs;
using OllamaMax.Models;

namespace OllamaMax.Edge.Tests.Templates;

public sealed class PromptTemplatesTests
{
    /// <summary>One for all tests, as an edge has one for all requests.</summary>
    private static readonly PromptTemplates Shared = TemplateModels.Templates();

    private static readonly ChatMessage System = new("system", "You are a pirate.");
    private static readonly ChatMessage User = new("user", "What's the \"weather\" in Oslo? 🌦");

    [Fact]
    public void Render_DemoModel_GivesTheTextItWasTrainedOn() =>
        Shared.Render(TemplateModels.Demo, [System, new("user", "Hello!")], [], addGenerationPrompt: true).ShouldBe(
            "<|im_start|>system\nYou are a pirate.<|im_end|>\n<|im_start|>user\nHello!<|im_end|>\n<|im_start|>assistant\n");

    [Fact]
    public void Render_DemoModelWithTools_DescribesThem()
    {
        string prompt = Shared.Render(TemplateModels.Demo, [System, User], [TemplateModels.Weather], addGenerationPrompt: true);

        prompt.ShouldStartWith("<|im_start|>system\nYou are a pirate.\n\nYou can call these functions:\n<tools>\n"
            + """{"type": "function", "function": {"name": "get_weather", "description": "Get the \"weather\" in Zürich & elsewhere <now>", """);
        prompt.ShouldContain("\n</tools>\nTo call one, answer with its name and arguments:\n<tool_call>\n");
    }

    public static TheoryData<string, string> Conversations()
    {
        TheoryData<string, string> all = [];
        foreach (string template in (string[])["demo", "llama3", "qwen3", "mistral", "gemma"])
        {
            foreach (string conversation in (string[])["plain", "turns", "tools", "thinking"])
                all.Add(template, conversation);
        }
        return all;
    }

    [Theory]
    [MemberData(nameof(Conversations))]
    public async Task Render_AnyShape_GivesWhatTheLibraryGivesInNode(string template, string conversation)
    {
        ModelView model = template == "demo" ? TemplateModels.Demo : TemplateModels.With(Source(template));
        (ChatMessage[] messages, JsonElement[] tools, TemplateOptions? options) = Conversation(conversation, withSystem: template != "gemma");

        string prompt = Shared.Render(model, messages, tools, addGenerationPrompt: true, options);

        string input = TemplateInput.Write(model, messages, tools, addGenerationPrompt: true, options);
        prompt.ShouldBe(await NodeJinja.RenderAsync(model.Template!, input, TestContext.Current.CancellationToken));
        prompt.ShouldContain("Oslo? 🌦");
    }

    [Fact]
    public void Render_ThinkingSwitchedOff_ClosesTheThoughtAtOnce()
    {
        ModelView model = TemplateModels.With(TemplateShapes.Qwen3);

        Shared.Render(model, [User], [], true, new TemplateOptions { Think = false }).ShouldEndWith("<think>\n\n</think>\n\n");
        Shared.Render(model, [User], [], true, new TemplateOptions { Think = true }).ShouldEndWith("assistant\n");
        Shared.Render(model, [User], [], true).ShouldEndWith("assistant\n");
    }

    [Fact]
    public void Render_WithoutGenerationPrompt_EndsBehindTheLastMessage() =>
        Shared.Render(TemplateModels.Demo, [User], [], addGenerationPrompt: false).ShouldEndWith("🌦<|im_end|>\n");

    [Fact]
    public void Render_ArgumentsAsJsonText_AreGivenAsTheObjectTheyAre()
    {
        JsonElement call = JsonElement.Parse("""{"id":"abc","type":"function","function":{"name":"f","arguments":"{\"city\":\"Oslo\"}"}}""");
        JsonElement broken = JsonElement.Parse("""{"function":{"name":"f","arguments":"{\"city\":"}}""");
        JsonElement halved = JsonElement.Parse("""{"function":{"name":"f","arguments":"{\"city\":\"\\ud800\"}"}}""");
        ModelView model = TemplateModels.With("{% for c in messages[0].tool_calls %}{{ c.id }} {{ c.function.arguments is string }} {{ c | tojson }}{% endfor %}");

        string prompt = Shared.Render(model, [new("assistant", "") { ToolCalls = [call, broken, halved] }], [], true);

        prompt.ShouldStartWith("""abc false {"id": "abc", "type": "function", "function": {"name": "f", "arguments": {"city": "Oslo"}}}""");
        prompt.ShouldContain("call00001 true ");
        prompt.ShouldContain("call00002 true ");
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    public void Render_ArgumentsThatAreABlankText_AreAnObjectWithout(string arguments)
    {
        JsonElement call = JsonElement.Parse($$$"""{"function":{"name":"f","arguments":"{{{arguments}}}"}}""");
        ModelView model = TemplateModels.With("{% for key, value in messages[0].tool_calls[0].function.arguments.items() %}{{ key }}{% endfor %}none");

        Shared.Render(model, [new("assistant", "") { ToolCalls = [call] }], [], true).ShouldBe("none");
    }

    [Fact]
    public void Render_IdsThatTheTemplateRefuses_AreReplacedInCallsAndResults()
    {
        JsonElement first = JsonElement.Parse("""{"id":"call_long-as-openais","type":"function","function":{"name":"f","arguments":"{}"}}""");
        JsonElement second = JsonElement.Parse("""{"id":"NineChars","type":"function","function":{"name":"g","arguments":"{}"}}""");
        ChatMessage[] messages =
        [
            User,
            new("assistant", "") { ToolCalls = [first, second] },
            new("tool", "2") { ToolCallId = "NineChars" },
            new("tool", "1") { ToolCallId = "call_long-as-openais" },
        ];

        string prompt = Shared.Render(TemplateModels.With(TemplateShapes.Mistral), messages, [], true);

        prompt.ShouldContain("\"name\": \"f\", \"arguments\": {}, \"id\": \"call00001\"}");
        prompt.ShouldContain("\"id\": \"NineChars\"}");
        prompt.ShouldContain("{\"content\": 2, \"call_id\": \"NineChars\"}");
        prompt.ShouldContain("{\"content\": 1, \"call_id\": \"call00001\"}");
    }

    [Fact]
    public void Render_TheTimeNow_IsTheInjectedClocks()
    {
        using PromptTemplates templates = TemplateModels.Templates(new FakeTimeProvider(new DateTimeOffset(2031, 2, 3, 16, 5, 6, TimeSpan.Zero)));
        ModelView model = TemplateModels.With("{{ strftime_now('%d %b %Y, %A %-d.%-m. %I:%M %p %% %q') }}");

        templates.Render(model, [], [], true).ShouldBe("03 Feb 2031, Monday 3.2. 04:05 PM % %q");
    }

    [Fact]
    public void Render_TemplateThatRefuses_GivesItsWords()
    {
        TemplateException refusal = Should.Throw<TemplateException>(
            () => Shared.Render(TemplateModels.With(TemplateShapes.Gemma), [System], [], true));

        refusal.IsRefusal.ShouldBeTrue();
        refusal.Message.ShouldBe("System role not supported");
    }

    [Theory]
    [InlineData("{% for x in %}", "template failed")]
    [InlineData("{{ messages[0].content | nosuchfilter }}", "template failed")]
    [InlineData("{{ 1 + none }}", "template failed")]
    public void Render_BrokenTemplate_IsTheModelsFault(string template, string why)
    {
        TemplateException error = Should.Throw<TemplateException>(() => Shared.Render(TemplateModels.With(template), [User], [], true));

        error.IsRefusal.ShouldBeFalse();
        error.Message.ShouldContain(why);
    }

    [Fact]
    public void Render_NoTemplate_PassesTheTextOnAsOllamaDoes() =>
        Shared.Render(TemplateModels.With(null), [System, new("user", "Once"), new("user", "upon"), new("assistant", " a"), new("user", " time")], [], true)
            .ShouldBe("Once\n\nupon a time");

    [Fact]
    public void Render_NoTemplateButTools_SaysThatItCannot() =>
        Should.Throw<TemplateException>(() => Shared.Render(TemplateModels.With(null), [User], [TemplateModels.Weather], true))
            .Message.ShouldContain("no chat template");

    [Fact]
    public void Render_FromManyThreads_MixesNothingUp()
    {
        ModelView[] models = [TemplateModels.Demo, TemplateModels.With(TemplateShapes.Qwen3), TemplateModels.With(TemplateShapes.Llama3)];

        Parallel.For(0, 300, new ParallelOptions { MaxDegreeOfParallelism = 8 }, i =>
        {
            string prompt = Shared.Render(models[i % 3], [new("user", $"number {i}.")], [], true);
            prompt.ShouldContain($"number {i}.");
            prompt.Contains("<|eot_id|>", StringComparison.Ordinal).ShouldBe(i % 3 == 2);
        });
    }

    [Fact]
    public void Render_MoreTemplatesThanAreKept_CompilesThemAgain()
    {
        using PromptTemplates templates = TemplateModels.Templates(configure: o => o.CompiledTemplates = 2);
        for (int i = 0; i < 10; i++)
            templates.Render(TemplateModels.With($"{i % 5}: {{{{ messages[0].content }}}}"), [new("user", "x")], [], true).ShouldBe($"{i % 5}: x");
    }

    [Fact]
    public void Constructor_NoLibrary_SaysWhatToDo() =>
        Should.Throw<FileNotFoundException>(() => TemplateModels.Templates(configure: o => o.JinjaScriptPath = "/nowhere/index.cjs"))
            .Message.ShouldContain("npm ci");

    private static string Source(string name) => name switch
    {
        "llama3" => TemplateShapes.Llama3,
        "qwen3" => TemplateShapes.Qwen3,
        "mistral" => TemplateShapes.Mistral,
        _ => TemplateShapes.Gemma,
    };

    private static (ChatMessage[] Messages, JsonElement[] Tools, TemplateOptions? Options) Conversation(string name, bool withSystem)
    {
        ChatMessage[] start = withSystem ? [System] : [];
        return name switch
        {
            "plain" => ([.. start, User], [], null),
            "turns" => ([.. start, new("user", " Hi \n"), new("assistant", "Hello."), User], [], null),
            "thinking" => (
                [.. start, new("user", "1+1"), new("assistant", "2") { Thinking = "Easy." }, User], [], new TemplateOptions { Think = false }),
            _ => (
                [.. start, User, new("assistant", "") { ToolCalls = [TemplateModels.Call] }, new("tool", "{\"t\": 12}") { ToolName = "get_weather" }],
                [TemplateModels.Weather, TemplateModels.Weather],
                null),
        };
    }
}
