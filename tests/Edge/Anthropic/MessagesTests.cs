using System.Text.Json;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Tests.Anthropic;

public sealed class MessagesTests
{
    private const string Path = "/v1/messages?beta=true";
    private const string Hello = """{"model":"demo","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}""";
    private const string Streamed = """{"model":"demo","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"hi"}]}""";
    private const string NoUsage = "{\"input_tokens\":0,\"cache_creation_input_tokens\":0,\"cache_read_input_tokens\":0,\"output_tokens\":0}";
    private const string Usage = "{\"input_tokens\":4,\"cache_creation_input_tokens\":0,\"cache_read_input_tokens\":3,\"output_tokens\":2}";

    [Fact]
    public async Task Messages_Streamed_EventsInOrder()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Say("Grüß").Say(" dich\n", 2).Finish();

        using HttpResponseMessage response = await edge.PostAsync(Path, Streamed, ("anthropic-beta", "someday-2030-01-01"));

        response.Content.Headers.ContentType!.ToString().ShouldBe("text/event-stream");
        string text = await response.TextAsync();
        string id = text[text.IndexOf("msg_", StringComparison.Ordinal)..].Split('"')[0];
        text.ShouldBe(
            $$$"""
            event: message_start
            data: {"type":"message_start","message":{"id":"{{{id}}}","type":"message","role":"assistant","model":"demo","content":[],"stop_reason":null,"stop_sequence":null,"usage":{{{NoUsage}}}}}

            event: content_block_start
            data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

            event: ping
            data: {"type":"ping"}

            event: content_block_delta
            data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Grüß"}}

            event: content_block_delta
            data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" dich\n"}}

            event: content_block_stop
            data: {"type":"content_block_stop","index":0}

            event: message_delta
            data: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{{{Usage}}}}

            event: message_stop
            data: {"type":"message_stop"}


            """);
    }

    [Fact]
    public async Task Messages_ReasoningTextAndCalls_AreBlocksOfTheirOwn()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Models.Add(FixedModels.Able);
        edge.Jobs.Script = job => job.Accept().Think("h").Think("m").Say("Look: ").Call(("f", "{\"a\":1}"), ("f", "{}")).Finish();
        const string request = """
            {"model":"able","max_tokens":2000,"thinking":{"type":"enabled","budget_tokens":1024},"messages":[{"role":"user","content":"hi"}],
             "tools":[{"name":"f","input_schema":{"type":"object"}}]}
            """;

        using HttpResponseMessage streamed = await edge.PostAsync(Path, request.Trim()[..^1] + ",\"stream\":true}");
        using HttpResponseMessage whole = await edge.PostAsync(Path, request);

        (await NamesAsync(streamed)).ShouldBe(
        [
            "message_start",
            "content_block_start:thinking", "ping", "content_block_delta:thinking_delta", "content_block_delta:thinking_delta", "content_block_delta:signature_delta", "content_block_stop",
            "content_block_start:text", "content_block_delta:text_delta", "content_block_stop",
            "content_block_start:tool_use", "content_block_delta:input_json_delta", "content_block_stop",
            "content_block_start:tool_use", "content_block_delta:input_json_delta", "content_block_stop",
            "message_delta", "message_stop",
        ]);
        JsonElement answer = JsonElement.Parse(await whole.TextAsync());
        answer.GetProperty("stop_reason").GetString().ShouldBe("tool_use");
        JsonElement[] blocks = [.. answer.GetProperty("content").EnumerateArray()];
        blocks.Select(block => block.GetProperty("type").GetString()).ShouldBe(["thinking", "text", "tool_use", "tool_use"]);
        blocks[0].GetProperty("thinking").GetString().ShouldBe("hm");
        blocks[0].GetProperty("signature").GetString().ShouldNotBeNullOrEmpty();
        blocks[2].GetProperty("input").ToString().ShouldBe("{\"a\":1}");
        blocks[2].GetProperty("id").GetString().ShouldStartWith("toolu_");
    }

    [Fact]
    public async Task Messages_ReasoningNotAskedFor_IsLeftOut()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Think("hm").Say("x").Finish();

        using HttpResponseMessage streamed = await edge.PostAsync(Path, Streamed);
        using HttpResponseMessage whole = await edge.PostAsync(Path, Hello);

        (await streamed.TextAsync()).ShouldNotContain("thinking");
        (await whole.TextAsync()).ShouldContain("\"content\":[{\"type\":\"text\",\"text\":\"x\"}]");
    }

    [Fact]
    public async Task Messages_CallEndedByAStopOfTheModelsOwn_IsToolUse()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Call(("f", "{}")).Finish(FinishReason.Stop, "<|end|>");

        using HttpResponseMessage whole = await edge.PostAsync(Path, Hello);

        (await whole.TextAsync()).ShouldContain("\"stop_reason\":\"tool_use\",\"stop_sequence\":null");
    }

    [Theory]
    [InlineData(FinishReason.Stop, null, "\"stop_reason\":\"end_turn\",\"stop_sequence\":null")]
    [InlineData(FinishReason.Length, null, "\"stop_reason\":\"max_tokens\",\"stop_sequence\":null")]
    [InlineData(FinishReason.Stop, "END", "\"stop_reason\":\"stop_sequence\",\"stop_sequence\":\"END\"")]
    [InlineData(FinishReason.Stop, "the model's own", "\"stop_reason\":\"end_turn\",\"stop_sequence\":null")]
    public async Task Messages_End_SaysWhy(FinishReason reason, string? stoppedBy, string said)
    {
        const string stops = ",\"stop_sequences\":[\"END\"]}";
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Say("x").Finish(reason, stoppedBy);

        using HttpResponseMessage streamed = await edge.PostAsync(Path, Streamed[..^1] + stops);
        using HttpResponseMessage whole = await edge.PostAsync(Path, Hello[..^1] + stops);

        (await streamed.TextAsync()).ShouldContain(said);
        (await whole.TextAsync()).ShouldContain(said);
    }

    [Fact]
    public async Task Messages_NobodyAccepts_PingsBehindTheStart()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        Task<HttpResponseMessage> pending = edge.PostAsync(Path, Streamed);
        StartedJob job = await edge.Jobs.NextAsync();
        await edge.Time.WaitForTimerAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);

        edge.Time.Advance(TimeSpan.FromSeconds(10));

        using HttpResponseMessage response = await pending;
        job.Fail(JobErrorKind.Busy, "full");
        (await NamesAsync(response)).ShouldBe(["message_start", "ping", "error"]);
    }

    [Fact]
    public async Task Messages_FailsInTheMiddle_LastEventIsTheError()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Say("half").Fail(JobErrorKind.Failed, "gone");

        using HttpResponseMessage response = await edge.PostAsync(Path, Streamed, ("x-request-id", "r1"));

        (await response.TextAsync()).ShouldEndWith(
            "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"gone\"},\"request_id\":\"r1\"}\n\n");
    }

    /// <summary>The events' names, with the types of their blocks or deltas.</summary>
    private static async Task<string[]> NamesAsync(HttpResponseMessage response)
    {
        string text = await response.TextAsync();
        return [.. text[..^2].Split("\n\n").Select(NameOf)];
    }

    private static string NameOf(string text)
    {
        string[] lines = text.Split('\n');
        string name = lines[0]["event: ".Length..];
        JsonElement data = JsonElement.Parse(lines[1]["data: ".Length..]);
        data.GetProperty("type").GetString().ShouldBe(name);
        bool hasMore = data.TryGetProperty("content_block", out JsonElement more) || (data.TryGetProperty("delta", out more) && more.TryGetProperty("type", out _));
        return hasMore ? $"{name}:{more.GetProperty("type").GetString()}" : name;
    }
}
