using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using OllamaMax.TestKit.Cluster;

namespace OllamaMax.GpuWorker.Tests.Background;

/// <summary>Responses of <c>/v1/responses</c> that run in the background.</summary>
public sealed class ResponseTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Background_Streamed_WhoComesBackGetsTheSameEventsFromThereOn()
    {
        await using JobCluster cluster = await JobCluster.StartAsync();
        await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1));

        string[] events = await EventsAsync(await cluster.Client.PostAsJsonAsync("/v1/responses", new { model = "demo", input = "hi", background = true, stream = true }, Cancellation));

        JsonElement[] data = [.. events.Select(one => JsonElement.Parse(one.Split("\ndata: ")[1]))];
        data[..3].Select(one => one.GetProperty("type").GetString()).ShouldBe(["response.created", "response.queued", "response.in_progress"]);
        data.Select(one => one.GetProperty("sequence_number").GetInt32()).ShouldBe(Enumerable.Range(0, events.Length));
        string.Concat(data.Where(one => one.GetProperty("type").GetString() == "response.output_text.delta").Select(one => one.GetProperty("delta").GetString()))
            .ShouldBe(ScriptedEngine.Answer(20));
        JsonElement last = data[^1].GetProperty("response");
        last.GetProperty("status").GetString().ShouldBe("completed");
        string path = $"/v1/responses/{last.GetProperty("id").GetString()}";
        (await AnswerAsync(cluster.Client.GetAsync(path, Cancellation))).GetRawText().ShouldBe(last.GetRawText());
        for (int after = 0; after < events.Length; after++)
        {
            string query = string.Create(CultureInfo.InvariantCulture, $"?stream=true&starting_after={after}");
            (await EventsAsync(await cluster.Client.GetAsync(path + query, Cancellation))).ShouldBe(events[(after + 1)..]);
        }
    }

    [Fact]
    public async Task Background_CancelledWhileQueued_SaysSoInEveryWay()
    {
        await using JobCluster cluster = await JobCluster.StartAsync();
        JsonElement queued = await AnswerAsync(cluster.Client.PostAsJsonAsync("/v1/responses", new { model = "demo", input = "hi", background = true }, Cancellation));
        queued.GetProperty("status").GetString().ShouldBe("queued");
        string path = $"/v1/responses/{queued.GetProperty("id").GetString()}";
        using HttpResponseMessage next = await cluster.Client.PostAsJsonAsync(
            "/v1/responses", new { model = "demo", input = "hi", previous_response_id = queued.GetProperty("id").GetString() }, Cancellation);

        JsonElement cancelled = await AnswerAsync(cluster.Client.PostAsync($"{path}/cancel", null, Cancellation));

        next.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        cancelled.GetProperty("status").GetString().ShouldBe("cancelled");
        (await AnswerAsync(cluster.Client.GetAsync(path, Cancellation))).GetRawText().ShouldBe(cancelled.GetRawText());
        string[] events = await EventsAsync(await cluster.Client.GetAsync($"{path}?stream=true", Cancellation));
        events.Length.ShouldBe(3);
        events[2].ShouldStartWith("event: response.failed\n");
        events[2].ShouldContain("\"status\":\"cancelled\"");
    }

    private static async Task<JsonElement> AnswerAsync(Task<HttpResponseMessage> pending)
    {
        using HttpResponseMessage response = await pending;
        string body = await response.Content.ReadAsStringAsync(Cancellation);
        response.StatusCode.ShouldBe(HttpStatusCode.OK, body);
        return JsonElement.Parse(body);
    }

    private static async Task<string[]> EventsAsync(HttpResponseMessage response)
    {
        using (response)
        {
            response.Content.Headers.ContentType!.MediaType.ShouldBe("text/event-stream");
            string text = await response.Content.ReadAsStringAsync(Cancellation);
            return text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        }
    }
}
