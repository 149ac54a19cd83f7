using System.Net;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.Requests;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Edge.Tests.Templates;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Records;

namespace OllamaMax.Edge.Tests.OpenAI;

public sealed class ResponsesTests
{
    private const string Path = "/v1/responses";
    private const string Hello = """{"model":"demo","input":"hi"}""";
    private const string Streamed = """{"model":"demo","input":"hi","stream":true}""";
    private const string WithTool = """{"model":"able","input":"hi","tools":[{"type":"function","name":"f","parameters":{"type":"object"}}]}""";

    [Fact]
    public async Task Create_NotStreamed_OneResponse()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Say("Hello ").Say("you", 2).Finish();

        JsonElement response = await AnswerAsync(edge, """{"model":"demo","input":"hi","instructions":"be brief","temperature":0.5,"metadata":{"a":"b"}}""");

        string id = response.GetProperty("id").GetString()!;
        id.ShouldStartWith("resp_");
        response.GetProperty("object").GetString().ShouldBe("response");
        response.GetProperty("status").GetString().ShouldBe("completed");
        response.GetProperty("completed_at").GetInt64().ShouldBe(response.GetProperty("created_at").GetInt64());
        response.GetProperty("output").GetRawText().ShouldBe(
            $$"""[{"id":"msg_{{id["resp_".Length..]}}o0","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","text":"Hello you","annotations":[],"logprobs":[]}]}]""");
        response.GetProperty("usage").GetRawText().ShouldBe(
            """{"input_tokens":7,"input_tokens_details":{"cached_tokens":3,"cache_write_tokens":0},"output_tokens":2,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":9}""");
        response.GetProperty("instructions").GetString().ShouldBe("be brief");
        response.GetProperty("temperature").GetDouble().ShouldBe(0.5);
        response.GetProperty("metadata").GetRawText().ShouldBe("""{"a":"b"}""");
        response.GetProperty("tool_choice").GetString().ShouldBe("auto");
        response.GetProperty("store").GetBoolean().ShouldBeTrue();
        response.GetProperty("error").ValueKind.ShouldBe(JsonValueKind.Null);
        response.GetProperty("incomplete_details").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Fact]
    public async Task Create_Streamed_EventsInOrderAndTheSameResponseAtTheEnd()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Say("Grüß").Say(" 😀\n", 2).Finish();

        using HttpResponseMessage response = await edge.PostAsync(Path, Streamed);

        response.Content.Headers.ContentType!.ToString().ShouldBe("text/event-stream");
        JsonElement[] events = await EventsAsync(response);
        Types(events).ShouldBe(
        [
            "response.created", "response.in_progress", "response.output_item.added", "response.content_part.added", "response.output_text.delta",
            "response.output_text.delta", "response.output_text.done", "response.content_part.done", "response.output_item.done", "response.completed",
        ]);
        events.Select(one => one.GetProperty("sequence_number").GetInt32()).ShouldBe(Enumerable.Range(0, events.Length));
        events[0].GetProperty("response").GetProperty("status").GetString().ShouldBe("in_progress");
        string item = events[2].GetProperty("item").GetProperty("id").GetString()!;
        events[3..8].ShouldAllBe(one => one.GetProperty("item_id").GetString() == item && one.GetProperty("output_index").GetInt32() == 0);
        string.Concat(events[4..6].Select(one => one.GetProperty("delta").GetString())).ShouldBe("Grüß 😀\n");
        events[6].GetProperty("text").GetString().ShouldBe("Grüß 😀\n");
        JsonElement last = events[^1].GetProperty("response");
        last.GetProperty("output")[0].GetRawText().ShouldBe(events[8].GetProperty("item").GetRawText());
        last.GetProperty("usage").GetProperty("total_tokens").GetInt32().ShouldBe(9);
        Kept(edge, last).Answer!.Value.GetRawText().ShouldBe(last.GetRawText());
    }

    [Fact]
    public async Task Create_ReasoningAndCalls_AreItemsOfTheirOwn()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Models.Add(FixedModels.Able);
        edge.Jobs.Script = job => job.Accept().Think("hm").Say("so").Call(("f", "{\"a\":1}"), ("f", "{}")).Finish();

        JsonElement whole = await AnswerAsync(edge, WithTool);
        using HttpResponseMessage streamed = await edge.PostAsync(Path, WithTool[..^1] + ",\"stream\":true}");

        JsonElement[] events = await EventsAsync(streamed);
        Types(events[2..^1]).ShouldBe(
        [
            "response.output_item.added", "response.content_part.added", "response.reasoning_text.delta", "response.reasoning_text.done",
            "response.content_part.done", "response.output_item.done",
            "response.output_item.added", "response.content_part.added", "response.output_text.delta", "response.output_text.done",
            "response.content_part.done", "response.output_item.done",
            "response.output_item.added", "response.function_call_arguments.delta", "response.function_call_arguments.done", "response.output_item.done",
            "response.output_item.added", "response.function_call_arguments.delta", "response.function_call_arguments.done", "response.output_item.done",
        ]);
        JsonElement[] items = [.. whole.GetProperty("output").EnumerateArray()];
        items.Select(item => item.GetProperty("type").GetString()).ShouldBe(["reasoning", "message", "function_call", "function_call"]);
        items.ShouldAllBe(item => item.GetProperty("status").GetString() == "completed");
        items[0].GetProperty("content")[0].GetProperty("text").GetString().ShouldBe("hm");
        (items[2].GetProperty("name").GetString(), items[2].GetProperty("arguments").GetString()).ShouldBe(("f", "{\"a\":1}"));
        items[2].GetProperty("call_id").GetString().ShouldNotBe(items[3].GetProperty("call_id").GetString());
        items[0].TryGetProperty("encrypted_content", out _).ShouldBeFalse();
        // But for the ids, which have the response's in them.
        Anonymous(events[^1].GetProperty("response")).ShouldBe(Anonymous(whole));
    }

    /// <summary>As Codex and the AI SDK show it, which look at no other reasoning.</summary>
    [Fact]
    public async Task Create_SummaryOfTheReasoning_IsTheReasoning()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Think("h").Think("m").Say("so").Finish();

        JsonElement whole = await AnswerAsync(edge, """{"model":"demo","input":"hi","reasoning":{"summary":"auto"}}""");
        using HttpResponseMessage streamed = await edge.PostAsync(Path, """{"model":"demo","input":"hi","reasoning":{"summary":"auto"},"stream":true}""");

        JsonElement[] events = await EventsAsync(streamed);
        Types(events[2..9]).ShouldBe(
        [
            "response.output_item.added", "response.reasoning_summary_part.added", "response.reasoning_summary_text.delta", "response.reasoning_summary_text.delta",
            "response.reasoning_summary_text.done", "response.reasoning_summary_part.done", "response.output_item.done",
        ]);
        events[3..8].ShouldAllBe(one => one.GetProperty("summary_index").GetInt32() == 0);
        events[7].GetProperty("part").GetRawText().ShouldBe("""{"type":"summary_text","text":"hm"}""");
        JsonElement reasoning = whole.GetProperty("output")[0];
        reasoning.GetProperty("summary").GetRawText().ShouldBe("""[{"type":"summary_text","text":"hm"}]""");
        reasoning.GetProperty("content").GetArrayLength().ShouldBe(0);
        Anonymous(events[^1].GetProperty("response")).ShouldBe(Anonymous(whole));
    }

    /// <summary>As Codex has it, whose answers are not kept.</summary>
    [Fact]
    public async Task Create_ReasoningToBeCarried_ComesBackWithTheNextRequest()
    {
        const string stateless = "\"store\":false,\"include\":[\"reasoning.encrypted_content\"]";
        await using EdgeServer edge = await EdgeServer.StartAsync(services: services => services.AddSingleton<IPromptRenderer>(
            _ => TemplateModels.Templates(configure: options => options.RenderTimeout = TimeSpan.FromMinutes(1))));
        edge.Models.Add(FixedModels.Able with { Template = "{% for m in messages %}[{{ m.role }} {{ m.reasoning_content }}]{{ m.content }}{% endfor %}" });
        edge.Jobs.Script = job => job.Accept().Think("hm 😀").Say("so").Finish();

        JsonElement whole = await AnswerAsync(edge, $$"""{"model":"able","input":"hi",{{stateless}}}""");
        using HttpResponseMessage streamed = await edge.PostAsync(Path, $$"""{"model":"able","input":"hi","stream":true,{{stateless}}}""");
        string? carried = whole.GetProperty("output")[0].GetProperty("encrypted_content").GetString();
        JsonElement[] events = await EventsAsync(streamed);
        await edge.Jobs.NextAsync();
        await edge.Jobs.NextAsync();
        await AnswerAsync(edge, $$"""
            {"model":"able",{{stateless}},"input":[
              {"role":"user","content":"hi"},
              {"type":"reasoning","id":"rs_1","summary":[],"content":[],"encrypted_content":"{{carried}}"},{"type":"message","role":"assistant","content":[{"type":"output_text","text":"so"}]},
              {"role":"user","content":"and?"},
              {"type":"reasoning","summary":[],"encrypted_content":"gAAAAABo"},{"type":"reasoning","summary":[],"encrypted_content":"ollamamax:?"},{"role":"assistant","content":"well"},
              {"role":"user","content":"then?"}]}
            """);

        events.Single(one => one.GetProperty("type").GetString() == "response.output_item.done" && one.GetProperty("output_index").GetInt32() == 0)
            .GetProperty("item").GetProperty("encrypted_content").GetString().ShouldBe(carried);
        Anonymous(events[^1].GetProperty("response")).ShouldBe(Anonymous(whole));
        (await edge.Jobs.NextAsync()).Job.Prompt.ShouldBe("[user ]hi[assistant hm 😀]so[user ]and?[assistant ]well[user ]then?");
    }

    /// <summary>As Codex's tools: their names stand under others, or they take a text.</summary>
    [Fact]
    public async Task Create_CallsOfNamespacesAndCustomTools_AreItemsOfTheClientsForm()
    {
        const string tools = """
            "tools":[
              {"type":"namespace","name":"agents","description":"d","tools":[{"type":"function","name":"close","parameters":{"type":"object"}},{"type":"custom","name":"run"}]},
              {"type":"custom","name":"apply_patch","description":"Edits.","format":{"type":"grammar","syntax":"lark","definition":"start: x"}},
              {"type":"function","name":"f","parameters":{"type":"object"}}]
            """;
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Models.Add(FixedModels.Able);
        edge.Jobs.Script = job => job.Accept()
            .Call(("agents__close", "{\"target\":\"x\"}"), ("apply_patch", "{\"input\":\"*** Begin\\n\"}"), ("agents__run", "{\"code\":1}"), ("f", "{}"), ("g", "{}"))
            .Finish();

        JsonElement whole = await AnswerAsync(edge, $$"""{"model":"able","input":"hi",{{tools}}}""");
        using HttpResponseMessage streamed = await edge.PostAsync(Path, $$"""{"model":"able","input":"hi","stream":true,{{tools}}}""");

        JsonElement[] events = await EventsAsync(streamed);
        whole.GetProperty("output").EnumerateArray().Select(item => string.Join(' ', item.EnumerateObject().Skip(1).Where(field => field.Name is not ("status" or "call_id")).Select(field => field.Value.ToString())))
            .ShouldBe(["function_call {\"target\":\"x\"} close agents", "custom_tool_call *** Begin\n apply_patch", "custom_tool_call {\"code\":1} run agents", "function_call {} f", "function_call {} g"]);
        whole.GetProperty("output")[1].GetProperty("id").GetString().ShouldStartWith("ctc_");
        Types(events)[6..10].ShouldBe(["response.output_item.added", "response.custom_tool_call_input.delta", "response.custom_tool_call_input.done", "response.output_item.done"]);
        events[6].GetProperty("item").GetProperty("input").GetString().ShouldBe("");
        events[8].GetProperty("input").GetString().ShouldBe("*** Begin\n");
        Anonymous(events[^1].GetProperty("response")).ShouldBe(Anonymous(whole));
        (await edge.Jobs.NextAsync()).Job.Prompt.ShouldContain("[agents__close][agents__run][apply_patch][f]");
    }

    [Fact]
    public async Task Create_NoParallelCalls_TheJobHasOne()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Models.Add(FixedModels.Able);
        edge.Jobs.Script = job => job.Accept().Call(("f", "{}")).Finish();

        await AnswerAsync(edge, """{"model":"able","input":"hi","parallel_tool_calls":false,"tools":[{"type":"function","name":"f"}]}""");

        (await edge.Jobs.NextAsync()).Job.Parsing.IsSingleCall.ShouldBeTrue();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Create_LogprobsIncluded_StandBesideTheText(bool stream)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept()
            .Say(new JobOutput.Delta("é", 1) { Logprobs = [new(7, [0xC3, 0xA9], new(-0.5f, [new(7, [0xC3, 0xA9], -0.5f)]))] })
            .Say(new JobOutput.Delta("a", 1) { Logprobs = [new(8, [0x61], new(-1, []))] })
            .Finish();
        string request = $$"""{"model":"demo","input":"hi","include":["message.output_text.logprobs"],"top_logprobs":1,"stream":{{(stream ? "true" : "false")}}}""";
        const string first = """{"token":"é","logprob":-0.5,"bytes":[195,169],"top_logprobs":[{"token":"é","logprob":-0.5,"bytes":[195,169]}]}""";
        const string second = """{"token":"a","logprob":-1,"bytes":[97],"top_logprobs":[]}""";

        using HttpResponseMessage response = await edge.PostAsync(Path, request);

        JsonElement whole;
        if (stream)
        {
            JsonElement[] events = await EventsAsync(response);
            events.Where(one => one.GetProperty("type").GetString() == "response.output_text.delta").Select(one => one.GetProperty("logprobs").GetRawText()).ShouldBe([$"[{first}]", $"[{second}]"]);
            events.Single(one => one.GetProperty("type").GetString() == "response.output_text.done").GetProperty("logprobs").GetRawText().ShouldBe($"[{first},{second}]");
            whole = events[^1].GetProperty("response");
        }
        else
        {
            whole = JsonElement.Parse(await response.TextAsync());
        }
        whole.GetProperty("output")[0].GetProperty("content")[0].GetProperty("logprobs").GetRawText().ShouldBe($"[{first},{second}]");
        (await edge.Jobs.NextAsync()).Job.Options.TopLogprobs.ShouldBe(1);
    }

    [Fact]
    public async Task Create_EndsAtItsLimit_IsIncomplete()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Say("a").Finish(FinishReason.Length);

        JsonElement whole = await AnswerAsync(edge, Hello);
        using HttpResponseMessage streamed = await edge.PostAsync(Path, Streamed);

        whole.GetProperty("status").GetString().ShouldBe("incomplete");
        whole.GetProperty("incomplete_details").GetRawText().ShouldBe("""{"reason":"max_output_tokens"}""");
        whole.GetProperty("output")[0].GetProperty("status").GetString().ShouldBe("incomplete");
        JsonElement last = (await EventsAsync(streamed))[^1];
        last.GetProperty("type").GetString().ShouldBe("response.incomplete");
        Anonymous(last.GetProperty("response")).ShouldBe(Anonymous(whole));
    }

    [Fact]
    public async Task Create_NothingSaid_HasAnEmptyMessage()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Finish();

        JsonElement whole = await AnswerAsync(edge, Hello);
        using HttpResponseMessage streamed = await edge.PostAsync(Path, Streamed);

        whole.GetProperty("output")[0].GetProperty("content")[0].GetProperty("text").GetString().ShouldBeEmpty();
        JsonElement last = (await EventsAsync(streamed))[^1].GetProperty("response");
        Anonymous(last).ShouldBe(Anonymous(whole));
        Kept(edge, last).Answer!.Value.GetRawText().ShouldBe(last.GetRawText());
    }

    [Fact]
    public async Task Create_FailsInTheMiddle_LastEventSaysSoAndNothingIsKept()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Say("a").Fail(JobErrorKind.Failed, "no more");

        using HttpResponseMessage streamed = await edge.PostAsync(Path, Streamed);
        using HttpResponseMessage whole = await edge.PostAsync(Path, Hello);

        JsonElement last = (await EventsAsync(streamed))[^1];
        last.GetProperty("type").GetString().ShouldBe("response.failed");
        last.GetProperty("response").GetProperty("status").GetString().ShouldBe("failed");
        last.GetProperty("response").GetProperty("error").GetRawText().ShouldBe("""{"code":"server_error","message":"no more"}""");
        whole.StatusCode.ShouldBe(HttpStatusCode.InternalServerError);
        edge.Responses.Kept.ShouldBeEmpty();
    }

    [Fact]
    public async Task Create_StorageIsBroken_NobodyHasAnEndThatIsNotKept()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Say("a").Finish();
        edge.Responses.Fault = new Azure.RequestFailedException(503, "busy");

        using HttpResponseMessage whole = await edge.PostAsync(Path, Hello);
        using HttpResponseMessage streamed = await edge.PostAsync(Path, Streamed);
        using HttpResponseMessage notStored = await edge.PostAsync(Path, Hello[..^1] + ",\"store\":false}");

        whole.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        JsonElement[] events = await EventsAsync(streamed);
        Types(events).ShouldContain("response.output_text.delta");
        Types(events)[^1].ShouldBe("response.failed");
        events[^1].GetProperty("response").GetProperty("error").GetProperty("message").GetString()!.ShouldContain("storage cannot be reached");
        notStored.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Create_Previous_GoesOnFromAllBefore()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Models.Add(FixedModels.Able);
        edge.Jobs.Script = job => job.Accept().Call(("f", "{}")).Finish();
        JsonElement first = await AnswerAsync(edge, WithTool[..^1] + ",\"instructions\":\"not for the next\"}");
        await edge.Jobs.NextAsync();
        edge.Jobs.Script = job => job.Accept().Say("yes").Finish();
        string call = first.GetProperty("output")[0].GetProperty("call_id").GetString()!;

        JsonElement second = await AnswerAsync(
            edge, $$"""{"model":"demo","previous_response_id":"{{Id(first)}}","input":[{"type":"function_call_output","call_id":"{{call}}","output":"42"}]}""");
        await AnswerAsync(edge, $$"""{"model":"demo","previous_response_id":"{{Id(second)}}","instructions":"now","input":"more"}""");

        second.GetProperty("previous_response_id").GetString().ShouldBe(Id(first));
        (await edge.Jobs.NextAsync()).Job.Prompt.ShouldBe("<user>hi<assistant><tool>42<assistant>");
        (await edge.Jobs.NextAsync()).Job.Prompt.ShouldBe("<system>now<user>hi<assistant><tool>42<assistant>yes<user>more<assistant>");
    }

    [Fact]
    public async Task Create_ItemReference_StandsForTheItem()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Say("yes").Finish();
        JsonElement first = await AnswerAsync(edge, Hello);
        await edge.Jobs.NextAsync();
        string item = first.GetProperty("output")[0].GetProperty("id").GetString()!;
        string request = $$"""{"model":"demo","input":[{"role":"user","content":"a"},{"type":"item_reference","id":"{{item}}"},{"role":"user","content":"b"}]}""";

        await AnswerAsync(edge, request);
        using HttpResponseMessage unknown = await edge.PostAsync(Path, request.Replace("o0\"", "o7\"", StringComparison.Ordinal));

        (await edge.Jobs.NextAsync()).Job.Prompt.ShouldBe("<user>a<assistant>yes<user>b<assistant>");
        unknown.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Create_ReferencesThatMakeALargeConversationOfASmallRequest_Is400()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync(options => options.MaxBodyBytes = 16 << 10);
        edge.Jobs.Script = job => job.Accept().Say(new string('a', 4000)).Finish();
        JsonElement first = await AnswerAsync(edge, Hello);
        string item = first.GetProperty("output")[0].GetProperty("id").GetString()!;
        string Many(int count) => $$"""{"model":"demo","input":[{{string.Join(',', Enumerable.Repeat($$"""{"type":"item_reference","id":"{{item}}"}""", count))}},{"role":"user","content":"b"}]}""";

        using HttpResponseMessage few = await edge.PostAsync(Path, Many(8));
        using HttpResponseMessage many = await edge.PostAsync(Path, Many(40));

        few.StatusCode.ShouldBe(HttpStatusCode.OK);
        many.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await many.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldContain("the conversation is larger than 65536 bytes");
    }

    [Fact]
    public async Task Create_PreviousThatIsNotKept_Is400()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Say("yes").Finish();
        JsonElement notStored = await AnswerAsync(edge, Hello[..^1] + ",\"store\":false}");
        string[] ids = [Id(notStored), "resp_nope", "", Id(notStored)["resp_".Length..]];

        foreach (string id in ids)
        {
            using HttpResponseMessage response = await edge.PostAsync(Path, $$"""{"model":"demo","input":"hi","previous_response_id":"{{id}}"}""");

            response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
            JsonElement error = JsonElement.Parse(await response.TextAsync()).GetProperty("error");
            error.GetProperty("param").GetString().ShouldBe("previous_response_id");
            error.GetProperty("code").GetString().ShouldBe("previous_response_not_found");
        }
        edge.Responses.Kept.ShouldBeEmpty();
    }

    [Fact]
    public async Task Create_Background_GoesToTheArchiveWithItsInput()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();

        using HttpResponseMessage response = await edge.PostAsync(Path, """{"model":"demo","background":true,"stream":true,"input":[{"role":"user","content":"hi"}]}""");

        response.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        edge.Jobs.Count.ShouldBe(0);
        edge.Responses.Background.TryDequeue(out var taken).ShouldBeTrue();
        taken.IsStream.ShouldBeTrue();
        taken.Inference.Messages.ShouldHaveSingleItem().Content.ShouldBe("hi");
        taken.Response.Settings.GetProperty("background").GetBoolean().ShouldBeTrue();
        taken.Response.Input.ShouldHaveSingleItem().GetRawText().ShouldBe(
            $$"""{"id":"msg_{{taken.Response.Id}}i0","type":"message","role":"user","content":[{"type":"input_text","text":"hi"}],"status":"completed"}""");
    }

    private static async Task<JsonElement> AnswerAsync(EdgeServer edge, string request)
    {
        using HttpResponseMessage response = await edge.PostAsync(Path, request);
        string text = await response.TextAsync();
        response.StatusCode.ShouldBe(HttpStatusCode.OK, text);
        return JsonElement.Parse(text);
    }

    /// <summary>The data of all events, whose names are their types.</summary>
    private static async Task<JsonElement[]> EventsAsync(HttpResponseMessage response)
    {
        string text = await response.TextAsync();
        text.ShouldEndWith("\n\n");
        List<JsonElement> events = [];
        foreach (string one in text[..^2].Split("\n\n"))
        {
            string[] lines = one.Split('\n');
            lines.Length.ShouldBe(2);
            JsonElement data = JsonElement.Parse(lines[1]["data: ".Length..]);
            lines[0].ShouldBe($"event: {data.GetProperty("type").GetString()}");
            events.Add(data);
        }
        return [.. events];
    }

    private static string[] Types(IEnumerable<JsonElement> events) => [.. events.Select(one => one.GetProperty("type").GetString()!)];

    private static string Id(JsonElement response) => response.GetProperty("id").GetString()!;

    private static StoredResponse Kept(EdgeServer edge, JsonElement response) => edge.Responses.Kept[Id(response)["resp_".Length..]];

    private static string Anonymous(JsonElement response) =>
        response.GetRawText().Replace(Id(response)["resp_".Length..], "", StringComparison.Ordinal);
}
