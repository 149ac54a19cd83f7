using System.Net.Http.Json;
using System.Text.Json;
using OllamaMax.TestKit;

namespace OllamaMax.Clients.Tests.JavaScript;

/// <summary><c>ollama</c> from npm, as its users have it.</summary>
[Collection(nameof(ChangesTheCatalogue))]
public sealed class OllamaJavaScriptTests(LocalSystemFixture local)
{
    private static readonly string Script = NodeScript.Beside("ollama.mjs");
    private static readonly string[] Stops = ["!"];
    private static readonly object[] Hello = [new { role = "user", content = "What are you?" }];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task List_TwoModels_NamesBoth()
    {
        JsonElement answer = await AnswerAsync("list");

        string?[] names = [.. answer.GetProperty("models").EnumerateArray().Select(model => model.GetProperty("name").GetString())];
        names.ShouldBe([$"{LocalSystemFixture.Endless}:latest", "demo:latest"], ignoreOrder: true);
    }

    [Fact]
    public async Task Show_Demo_HasTemplateDetailsAndCapabilities()
    {
        JsonElement answer = await AnswerAsync("show", new { model = "demo" });

        answer.GetProperty("template").GetString().ShouldNotBeNullOrEmpty();
        answer.GetProperty("details").GetProperty("family").GetString().ShouldBe("llama");
        answer.GetProperty("model_info").GetProperty("llama.context_length").GetInt32().ShouldBe(1024);
        answer.GetProperty("capabilities").EnumerateArray().Select(capability => capability.GetString()).ShouldContain("completion");
    }

    [Fact]
    public async Task Show_UnknownModel_RaisesItsError()
    {
        await using NodeScript client = Call("show", new { model = "nope" });

        (string what, JsonElement error) = await client.NextAsync(Cancellation);

        what.ShouldBe("error");
        error.GetProperty("status").GetInt32().ShouldBe(404);
        error.GetProperty("message").GetString().ShouldBe("model 'nope' not found");
    }

    [Fact]
    public async Task Chat_Whole_AnswersReadably()
    {
        JsonElement answer = await AnswerAsync("chat", new { model = "demo", messages = Hello, options = new { temperature = 0 } });

        answer.GetProperty("message").GetProperty("content").GetString()!.ShouldContain("OllamaMax");
        ShouldBeFinal(answer);
    }

    [Fact]
    public async Task Chat_Streamed_PartsAreTheWholeAnswer()
    {
        JsonElement whole = await AnswerAsync("chat", new { model = "demo", messages = Hello, options = new { temperature = 0 } });

        List<JsonElement> parts = await PartsAsync("chat", new { model = "demo", messages = Hello, stream = true, options = new { temperature = 0 } });

        parts.Count.ShouldBeGreaterThan(2);
        string.Concat(parts.Select(part => part.GetProperty("message").GetProperty("content").GetString()))
            .ShouldBe(whole.GetProperty("message").GetProperty("content").GetString());
        ShouldBeFinal(parts[^1]);
    }

    [Fact]
    public async Task Generate_Whole_EndsAtItsLimit()
    {
        JsonElement answer = await AnswerAsync("generate", new { model = LocalSystemFixture.Endless, prompt = "Go on", options = new { num_predict = 12 } });

        answer.GetProperty("eval_count").GetInt32().ShouldBe(12);
        answer.GetProperty("done_reason").GetString().ShouldBe("length");
        ShouldBeFinal(answer);
    }

    [Fact]
    public async Task Generate_Streamed_EndsWithStatistics()
    {
        List<JsonElement> parts = await PartsAsync("generate", new { model = "demo", prompt = "Hello", stream = true });

        string.Concat(parts.Select(part => part.GetProperty("response").GetString())).ShouldNotBeNullOrWhiteSpace();
        parts[..^1].ShouldAllBe(part => !part.GetProperty("done").GetBoolean());
        ShouldBeFinal(parts[^1]);
    }

    [Fact]
    public async Task Generate_Aborted_RaisesAbortErrorAndTheWorkerStops()
    {
        await using NodeScript client = Call(
            "generate", new { model = LocalSystemFixture.Endless, prompt = "Go on", stream = true, options = new { num_predict = -1 } });
        using AbortWatch watch = await AbortWatch.BeginAsync(local.System, Cancellation);
        (await client.NextAsync(Cancellation)).Event.ShouldBe("part");

        await client.SendAsync("abort");

        string what;
        JsonElement value;
        do
            (what, value) = await client.NextAsync(Cancellation);
        while (what == "part");
        what.ShouldBe("error");
        value.GetProperty("name").GetString().ShouldBe("AbortError");
        await watch.StoppedAsync(Cancellation);
        using HttpResponseMessage next = await local.Client.PostAsJsonAsync("/api/generate", new { model = "demo", prompt = "Hello", stream = false }, Cancellation);
        next.IsSuccessStatusCode.ShouldBeTrue();
    }

    [Fact]
    public async Task Chat_ResultOfATool_IsAnswered()
    {
        object parameters = new { type = "object", properties = new { a = new { type = "integer" } }, required = (string[])["a"] };
        object[] tools = [new { type = "function", function = new { name = "add", description = "Adds five.", parameters } }];
        object call = new { role = "assistant", content = "", tool_calls = (object[])[new { function = new { name = "add", arguments = new { a = 4 } } }] };
        object[] messages = [new { role = "user", content = "What is 4 plus 5?" }, call, new { role = "tool", tool_name = "add", content = "9" }];

        JsonElement without = await AnswerAsync("chat", new { model = "demo", messages = messages[..1], options = new { num_predict = 1 } });
        JsonElement answer = await AnswerAsync("chat", new { model = "demo", messages, tools, options = new { num_predict = 20 } });

        answer.GetProperty("prompt_eval_count").GetInt32().ShouldBeGreaterThan(without.GetProperty("prompt_eval_count").GetInt32() + 20);
        ShouldBeFinal(answer);
    }

    [Fact]
    public async Task Chat_Schema_AnswerSatisfiesIt()
    {
        object format = new { type = "object", properties = new { animal = new { type = "boolean" } }, required = (string[])["animal"], additionalProperties = false };

        JsonElement answer = await AnswerAsync("chat", new { model = "demo", messages = Hello, format, options = new { num_predict = 100 } });

        JsonElement.Parse(answer.GetProperty("message").GetProperty("content").GetString()!).GetProperty("animal").ValueKind.ShouldBeOneOf(JsonValueKind.True, JsonValueKind.False);
    }

    [Fact]
    public async Task Embed_Texts_OneVectorEach()
    {
        JsonElement answer = await AnswerAsync("embed", new { model = "demo", input = (string[])["a cat", "a dog"] });

        answer.GetProperty("embeddings").EnumerateArray().Select(vector => vector.GetArrayLength()).ShouldBe([256, 256]);
    }

    [Fact]
    public async Task Create_FromDemo_SaysItsSystemUntilItIsDeleted()
    {
        List<JsonElement> progress = await PartsAsync(
            "create",
            new { model = "pirate", from = "demo", system = "You are a pirate.", parameters = new { temperature = 0, num_predict = 3, stop = Stops }, stream = true });
        progress[^1].GetProperty("status").GetString().ShouldBe("success");

        await AnswerAsync("copy", new { source = "pirate", destination = "corsair" });
        JsonElement shown = await AnswerAsync("show", new { model = "corsair" });
        shown.GetProperty("system").GetString().ShouldBe("You are a pirate.");
        shown.GetProperty("parameters").GetString()!.ShouldContain("num_predict");
        shown.GetProperty("details").GetProperty("parent_model").GetString().ShouldBe("demo:latest");
        JsonElement bare = await AnswerAsync("chat", new { model = "demo", messages = Hello, options = new { num_predict = 3 } });
        JsonElement pirate = await AnswerAsync("chat", new { model = "corsair", messages = Hello });
        pirate.GetProperty("eval_count").GetInt32().ShouldBeLessThanOrEqualTo(3);
        pirate.GetProperty("prompt_eval_count").GetInt32().ShouldBeGreaterThan(bare.GetProperty("prompt_eval_count").GetInt32());

        await AnswerAsync("delete", new { model = "pirate" });
        await AnswerAsync("delete", new { model = "corsair" });
        await using NodeScript gone = Call("show", new { model = "pirate" });
        (await gone.NextAsync(Cancellation)).Event.ShouldBe("error");
    }

    private static void ShouldBeFinal(JsonElement part)
    {
        part.GetProperty("done").GetBoolean().ShouldBeTrue();
        foreach (string duration in (string[])["total_duration", "prompt_eval_duration", "eval_duration"])
            part.GetProperty(duration).GetInt64().ShouldBePositive(duration);
        part.GetProperty("load_duration").GetInt64().ShouldBeGreaterThanOrEqualTo(0);
        part.GetProperty("prompt_eval_count").GetInt32().ShouldBePositive();
        part.GetProperty("eval_count").GetInt32().ShouldBePositive();
    }

    private NodeScript Call(string call, object? request = null)
    {
        string[] arguments = [local.System.BaseAddress.ToString(), call, .. request is null ? (string[])[] : [JsonSerializer.Serialize(request)]];
        return new(Script, arguments);
    }

    private async Task<JsonElement> AnswerAsync(string call, object? request = null)
    {
        await using NodeScript client = Call(call, request);
        (string what, JsonElement value) = await client.NextAsync(Cancellation);
        what.ShouldBe("answer", value.ToString());
        return value;
    }

    private async Task<List<JsonElement>> PartsAsync(string call, object request)
    {
        await using NodeScript client = Call(call, request);
        List<JsonElement> parts = [];
        while (true)
        {
            (string what, JsonElement value) = await client.NextAsync(Cancellation);
            if (what == "end")
                return parts;
            what.ShouldBe("part", value.ToString());
            parts.Add(value);
        }
    }
}
