using System.Text.Json;
using OllamaMax.TestKit;

namespace OllamaMax.Clients.Tests.JavaScript;

/// <summary><c>openai</c> from npm, as its users have it.</summary>
public sealed class OpenAIJavaScriptTests(LocalSystemFixture local)
{
    private static readonly object[] Hello = [new { role = "user", content = "What are you?" }];

    private static readonly object[] Tools =
    [
        new
        {
            type = "function",
            function = new
            {
                name = "add",
                description = "Adds two numbers.",
                parameters = new { type = "object", properties = new { a = new { type = "integer", minimum = 0, maximum = 9 } }, required = (string[])["a"], additionalProperties = false },
                strict = true,
            },
        },
    ];

    private readonly SdkScript _openai = new("openai", local.System.BaseAddress);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Models_List_NamesBoth() =>
        (await _openai.PartsAsync("models.list")).Select(model => model.GetProperty("id").GetString())
            .ShouldBe([$"{LocalSystemFixture.Endless}:latest", "demo:latest"], ignoreOrder: true);

    [Fact]
    public async Task Chat_Streamed_ClientPutsTheAnswerTogetherAgain()
    {
        JsonElement answer = await _openai.AnswerAsync(
            "chat.completions.stream", new { model = "demo", messages = Hello, temperature = 0, stream_options = new { include_usage = true } });

        JsonElement choice = answer.GetProperty("choices")[0];
        choice.GetProperty("message").GetProperty("content").GetString()!.ShouldContain("OllamaMax");
        choice.GetProperty("finish_reason").GetString().ShouldBe("stop");
        answer.GetProperty("usage").GetProperty("completion_tokens").GetInt32().ShouldBePositive();
    }

    [Fact]
    public async Task Chat_RequiredTool_CallOfTheSchemaAndAnAnswerToItsResult()
    {
        object question = new { role = "user", content = "What is 4 plus 5?" };
        JsonElement answer = await _openai.AnswerAsync(
            "chat.completions.create", new { model = "demo", messages = (object[])[question], tools = Tools, tool_choice = "required", parallel_tool_calls = false, seed = 1, max_tokens = 200 });

        JsonElement choice = answer.GetProperty("choices")[0];
        choice.GetProperty("finish_reason").GetString().ShouldBe("tool_calls");
        JsonElement message = choice.GetProperty("message");
        JsonElement call = message.GetProperty("tool_calls").EnumerateArray().ShouldHaveSingleItem();
        call.GetProperty("function").GetProperty("name").GetString().ShouldBe("add");
        JsonElement.Parse(call.GetProperty("function").GetProperty("arguments").GetString()!).GetProperty("a").GetInt32().ShouldBeInRange(0, 9);
        object result = new { role = "tool", tool_call_id = call.GetProperty("id").GetString(), content = "9" };
        JsonElement second = await _openai.AnswerAsync("chat.completions.create", new { model = "demo", messages = (object[])[question, message, result], tools = Tools, max_tokens = 20 });
        second.GetProperty("usage").GetProperty("completion_tokens").GetInt32().ShouldBePositive();
    }

    [Fact]
    public async Task Chat_SchemaAndSeveralChoices_EachSatisfiesIt()
    {
        object schema = new { type = "object", properties = new { capital = new { type = "string", maxLength = 12 } }, required = (string[])["capital"], additionalProperties = false };

        JsonElement answer = await _openai.AnswerAsync(
            "chat.completions.create",
            new { model = "demo", messages = Hello, n = 3, max_tokens = 100, response_format = new { type = "json_schema", json_schema = new { name = "x", strict = true, schema } } });

        JsonElement[] choices = [.. answer.GetProperty("choices").EnumerateArray()];
        choices.Length.ShouldBe(3);
        foreach (JsonElement choice in choices)
            JsonElement.Parse(choice.GetProperty("message").GetProperty("content").GetString()!).GetProperty("capital").GetString()!.Length.ShouldBeLessThanOrEqualTo(12);
    }

    [Fact]
    public async Task Completions_Whole_EndsAtItsLimit()
    {
        JsonElement answer = await _openai.AnswerAsync("completions.create", new { model = "demo", prompt = "Once upon", max_tokens = 3, temperature = 0, logprobs = 1, logit_bias = new Dictionary<string, int> { ["5"] = -100 } });

        JsonElement choice = answer.GetProperty("choices")[0];
        choice.GetProperty("finish_reason").GetString().ShouldBe("length");
        choice.GetProperty("logprobs").GetProperty("tokens").GetArrayLength().ShouldBe(3);
    }

    [Fact]
    public async Task Embeddings_AsTheClientAsksForThem_AreNumbersOfLengthOne()
    {
        JsonElement answer = await _openai.AnswerAsync("embeddings.create", new { model = "demo", input = (string[])["a cat", "a dog"] });

        double[] vector = [.. answer.GetProperty("data")[1].GetProperty("embedding").EnumerateArray().Select(number => number.GetDouble())];
        vector.Length.ShouldBe(256);
        vector.Sum(number => number * number).ShouldBe(1, 1e-3);
    }

    [Fact]
    public async Task Chat_UnknownModel_RaisesItsError()
    {
        JsonElement error = await _openai.ErrorAsync("chat.completions.create", new { model = "nope", messages = Hello });

        error.GetProperty("name").GetString().ShouldBe("NotFoundError");
        error.GetProperty("code").GetString().ShouldBe("model_not_found");
        error.GetProperty("requestId").GetString().ShouldNotBeNullOrEmpty();
    }

    [Fact]
    public async Task Responses_StreamedThenGoneOnFrom_ClientPutsTheAnswerTogetherAgain()
    {
        JsonElement first = await _openai.AnswerAsync("responses.stream", new { model = "demo", input = "What are you?", temperature = 0 });

        first.GetProperty("status").GetString().ShouldBe("completed");
        first.GetProperty("output").EnumerateArray().Last().GetProperty("content")[0].GetProperty("text").GetString()!.ShouldContain("OllamaMax");
        string id = first.GetProperty("id").GetString()!;
        JsonElement second = await _openai.AnswerAsync("responses.create", new { model = "demo", previous_response_id = id, input = "And what else?", max_output_tokens = 20 });
        second.GetProperty("previous_response_id").GetString().ShouldBe(id);
        second.GetProperty("usage").GetProperty("input_tokens").GetInt32().ShouldBeGreaterThan(first.GetProperty("usage").GetProperty("total_tokens").GetInt32());
        await _openai.AnswerAsync("responses.delete", id);
        (await _openai.ErrorAsync("responses.retrieve", id)).GetProperty("name").GetString().ShouldBe("NotFoundError");
    }

    [Fact]
    public async Task Responses_RequiredTool_CallOfTheSchemaAndAnAnswerToItsResult()
    {
        object parameters = new { type = "object", properties = new { a = new { type = "integer", minimum = 0, maximum = 9 } }, required = (string[])["a"], additionalProperties = false };
        object[] tools = [new { type = "function", name = "add", description = "Adds two numbers.", parameters, strict = true }];
        JsonElement first = await _openai.AnswerAsync("responses.create", new { model = "demo", input = "What is 4 plus 5?", tools, tool_choice = "required", parallel_tool_calls = false, max_output_tokens = 200 });

        JsonElement call = first.GetProperty("output").EnumerateArray().Single(item => item.GetProperty("type").GetString() == "function_call");
        call.GetProperty("name").GetString().ShouldBe("add");
        JsonElement.Parse(call.GetProperty("arguments").GetString()!).GetProperty("a").GetInt32().ShouldBeInRange(0, 9);
        object output = new { type = "function_call_output", call_id = call.GetProperty("call_id").GetString(), output = "9" };
        JsonElement second = await _openai.AnswerAsync(
            "responses.create", new { model = "demo", previous_response_id = first.GetProperty("id").GetString(), input = (object[])[output], tools, max_output_tokens = 20 });
        second.GetProperty("usage").GetProperty("output_tokens").GetInt32().ShouldBePositive();
    }

    [Fact]
    public async Task Responses_Background_AreStreamedFromWhereTheClientIs()
    {
        JsonElement queued = await _openai.AnswerAsync("responses.create", new { model = "demo", input = "What are you?", temperature = 0, background = true });

        List<JsonElement> events = await _openai.PartsAsync("responses.retrieve", queued.GetProperty("id").GetString()!, new { stream = true, starting_after = 1 });
        events[0].GetProperty("sequence_number").GetInt32().ShouldBe(2);
        events[^1].GetProperty("type").GetString().ShouldBe("response.completed");
        string.Concat(events.Where(part => part.GetProperty("type").GetString() == "response.output_text.delta").Select(part => part.GetProperty("delta").GetString()))
            .ShouldContain("OllamaMax");
    }

    [Fact]
    public async Task Completions_AbortedInTheMiddle_TheWorkerStops()
    {
        await using NodeScript client = _openai.Call("completions.create", new { model = LocalSystemFixture.Endless, prompt = "Go on", max_tokens = 4000, stream = true });
        using AbortWatch watch = await AbortWatch.BeginAsync(local.System, Cancellation);
        (await client.NextAsync(Cancellation)).Event.ShouldBe("part");

        await client.SendAsync("abort");

        await watch.StoppedAsync(Cancellation);
    }
}
