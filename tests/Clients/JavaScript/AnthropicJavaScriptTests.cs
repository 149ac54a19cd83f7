using System.Text.Json;
using OllamaMax.TestKit;

namespace OllamaMax.Clients.Tests.JavaScript;

/// <summary><c>@anthropic-ai/sdk</c> from npm, as its users have it.</summary>
public sealed class AnthropicJavaScriptTests(LocalSystemFixture local)
{
    private static readonly object[] Hello = [new { role = "user", content = "What are you?" }];
    private static readonly object[] Tools =
        [new { name = "add", input_schema = new { type = "object", properties = new { a = new { type = "integer", minimum = 0, maximum = 9 } }, required = (string[])["a"] } }];

    private readonly SdkScript _anthropic = new("anthropic", local.System.BaseAddress);

    [Fact]
    public async Task Models_List_NamesBoth() =>
        (await _anthropic.PartsAsync("models.list", new { limit = 1 })).Select(model => model.GetProperty("id").GetString())
            .ShouldBe([$"{LocalSystemFixture.Endless}:latest", "demo:latest"], ignoreOrder: true);

    [Fact]
    public async Task Messages_Streamed_ClientPutsTheAnswerTogetherAgain()
    {
        JsonElement answer = await _anthropic.AnswerAsync("messages.stream", new { model = "demo", max_tokens = 100, messages = Hello, temperature = 0, stop_sequences = (string[])["Ollama"] });

        answer.GetProperty("stop_reason").GetString().ShouldBe("stop_sequence");
        answer.GetProperty("stop_sequence").GetString().ShouldBe("Ollama");
        answer.GetProperty("content")[0].GetProperty("text").GetString().ShouldNotBeNullOrEmpty();
        JsonElement usage = answer.GetProperty("usage");
        usage.GetProperty("output_tokens").GetInt32().ShouldBePositive();
        (usage.GetProperty("input_tokens").GetInt32() + usage.GetProperty("cache_read_input_tokens").GetInt32()).ShouldBePositive();
    }

    [Fact]
    public async Task Messages_AnyTool_CallOfTheSchemaAndAnAnswerToItsResult()
    {
        object question = new { role = "user", content = "What is 4 plus 5?" };
        JsonElement answer = await _anthropic.AnswerAsync(
            "beta.messages.create",
            new { model = "demo", max_tokens = 200, messages = (object[])[question], tools = Tools, tool_choice = new { type = "any", disable_parallel_tool_use = true } },
            new { headers = new Dictionary<string, string> { ["anthropic-beta"] = "someday-2030-01-01" } });

        answer.GetProperty("stop_reason").GetString().ShouldBe("tool_use");
        JsonElement call = answer.GetProperty("content").EnumerateArray().ShouldHaveSingleItem();
        call.GetProperty("input").GetProperty("a").GetInt32().ShouldBeInRange(0, 9);
        object calls = new { role = "assistant", content = answer.GetProperty("content") };
        object result = new { role = "user", content = (object[])[new { type = "tool_result", tool_use_id = call.GetProperty("id").GetString(), content = "9" }] };
        JsonElement second = await _anthropic.AnswerAsync("messages.create", new { model = "demo", max_tokens = 20, messages = (object[])[question, calls, result], tools = Tools });
        second.GetProperty("usage").GetProperty("output_tokens").GetInt32().ShouldBePositive();
    }

    [Fact]
    public async Task Messages_Schema_AnswerSatisfiesIt()
    {
        object schema = new { type = "object", properties = new { animal = new { type = "boolean" } }, required = (string[])["animal"], additionalProperties = false };

        JsonElement answer = await _anthropic.AnswerAsync(
            "messages.create", new { model = "demo", max_tokens = 100, messages = Hello, output_config = new { format = new { type = "json_schema", schema } } });

        JsonElement.Parse(answer.GetProperty("content")[0].GetProperty("text").GetString()!).GetProperty("animal").ValueKind.ShouldBeOneOf(JsonValueKind.True, JsonValueKind.False);
    }

    [Fact]
    public async Task Messages_AbortedInTheMiddle_TheWorkerStops()
    {
        await using NodeScript client = _anthropic.Call("messages.create", new { model = LocalSystemFixture.Endless, max_tokens = 4000, messages = Hello, stream = true });
        using AbortWatch watch = await AbortWatch.BeginAsync(local.System, TestContext.Current.CancellationToken);
        string type;
        do
        {
            (string what, JsonElement value) = await client.NextAsync(TestContext.Current.CancellationToken);
            what.ShouldBe("part", value.ToString());
            type = value.GetProperty("type").GetString()!;
        }
        while (type != "content_block_delta");

        await client.SendAsync("abort");

        await watch.StoppedAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Messages_CountTokens_IsWhatTheWorkerCounts()
    {
        object[] messages = [new { role = "user", content = "Please tell me a short story about a small cat that lives in a big house, and then say goodbye." }];
        JsonElement count = await _anthropic.AnswerAsync("messages.countTokens", new { model = "demo", messages });
        JsonElement answer = await _anthropic.AnswerAsync("messages.create", new { model = "demo", max_tokens = 1, messages });

        JsonElement usage = answer.GetProperty("usage");
        count.GetProperty("input_tokens").GetInt32()
            .ShouldBe(usage.GetProperty("input_tokens").GetInt32() + usage.GetProperty("cache_read_input_tokens").GetInt32());
    }

    [Fact]
    public async Task Messages_UnknownModel_RaisesItsError()
    {
        JsonElement error = await _anthropic.ErrorAsync("messages.create", new { model = "nope", max_tokens = 5, messages = Hello });

        error.GetProperty("name").GetString().ShouldBe("NotFoundError");
        error.GetProperty("type").GetString().ShouldBe("not_found_error");
        error.GetProperty("requestId").GetString().ShouldNotBeNullOrEmpty();
    }
}
