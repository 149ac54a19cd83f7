using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.Jobs.Strategies;
using OllamaMax.Storage.Jobs;

namespace OllamaMax.Orchestrations.Tests.Edge;

/// <summary>OpenAI's files and batches on the local task hub; a page has three lines here.</summary>
public sealed class BatchTests : IClassFixture<StrategyFixture>
{
    private static readonly string[] TwoTexts = ["four", "seven 7"];

    private readonly StrategyFixture _fixture;

    public BatchTests(StrategyFixture fixture)
    {
        _fixture = fixture;
        fixture.Engine.BeforeToken = (_, _) => Task.CompletedTask;
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private DurableTaskClient Hub => _fixture.Cluster.EdgeServices.GetRequiredService<DurableTaskClient>();

    private HttpClient Http => _fixture.Client;

    [Fact]
    public async Task Batch_WithBrokenLines_RunsTheRestOnce()
    {
        string[] lines =
        [
            .. Enumerable.Range(0, 7).Select(i => Line($"good-{i}", "demo")),
            "this is no JSON",
            "",
            """{"custom_id":"elsewhere","method":"POST","url":"/v1/embeddings","body":{}}""",
            Line("nobody", "no-such-model"),
        ];
        string file = await Http.UploadAsync(string.Join('\n', lines));

        JsonElement batch = await Http.EndOfBatchAsync(await Http.CreateBatchAsync(file));

        batch.GetProperty("status").GetString().ShouldBe("completed");
        JsonElement counts = batch.GetProperty("request_counts");
        (counts.GetProperty("total").GetInt32(), counts.GetProperty("completed").GetInt32(), counts.GetProperty("failed").GetInt32()).ShouldBe((10, 7, 3));
        JsonElement[] output = await Http.LinesAsync(batch.GetProperty("output_file_id").GetString()!);
        output.Select(line => line.GetProperty("custom_id").GetString()).ShouldBe(Enumerable.Range(0, 7).Select(i => $"good-{i}"));
        JsonElement body = output[0].GetProperty("response").GetProperty("body");
        body.GetProperty("object").GetString().ShouldBe("chat.completion");
        body.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString().ShouldBe("0 1 2 ");
        JsonElement[] errors = await Http.LinesAsync(batch.GetProperty("error_file_id").GetString()!);
        errors.Select(line => line.GetProperty("custom_id").GetString()).ShouldBe([null, "elsewhere", "nobody"]);
        errors.Select(line => line.GetProperty("error").GetProperty("message").GetString()!).ShouldAllBe(message => message.Length > 0);
        errors[2].GetProperty("error").GetProperty("message").GetString().ShouldBe("model 'no-such-model' not found");
    }

    [Fact]
    public async Task Batch_OfEmbeddings_HasTheVectorsThatTheCallWouldHave()
    {
        string[] lines =
        [
            EmbeddingLine("one", new { model = "demo", input = "four" }),
            EmbeddingLine("two", new { model = "demo", input = TwoTexts, encoding_format = "base64" }),
            EmbeddingLine("cut", new { model = "demo", input = "four", dimensions = 1 }),
            EmbeddingLine("none", new { model = "demo", input = "" }),
            Line("chat", "demo"),
        ];

        JsonElement batch = await Http.EndOfBatchAsync(await Http.CreateBatchAsync(await Http.UploadAsync(string.Join('\n', lines)), "/v1/embeddings"));

        batch.GetProperty("endpoint").GetString().ShouldBe("/v1/embeddings");
        JsonElement[] output = await Http.LinesAsync(batch.GetProperty("output_file_id").GetString()!);
        output.Select(line => line.GetProperty("custom_id").GetString()).ShouldBe(["one", "two", "cut"]);
        foreach (var (line, i) in output.Select((line, i) => (line, i)))
        {
            using HttpResponseMessage now = await Http.PostAsync(
                "/v1/embeddings", new StringContent(JsonElement.Parse(lines[i]).GetProperty("body").GetRawText(), Encoding.UTF8, "application/json"), Cancellation);
            line.GetProperty("response").GetProperty("body").GetRawText().ShouldBe(await now.Content.ReadAsStringAsync(Cancellation));
        }
        (await Http.LinesAsync(batch.GetProperty("error_file_id").GetString()!)).Select(line => line.GetProperty("custom_id").GetString()).ShouldBe(["none", "chat"]);
        JsonElement job = await Http.GetFromJsonAsync<JsonElement>($"/jobs/{output[0].GetProperty("response").GetProperty("request_id").GetString()}", Cancellation);
        job.GetProperty("result").GetProperty("data").GetArrayLength().ShouldBe(1);
    }

    [Fact]
    public async Task Create_AgainUnderItsKey_IsTheSameBatch()
    {
        string file = await Http.UploadAsync(Line("one", "demo"));
        string id = await Http.CreateBatchAsync(file, key: "batch-1");
        await Http.EndOfBatchAsync(id);

        using HttpResponseMessage again = await Http.PostBatchAsync(file, "/v1/chat/completions", "batch-1");
        using HttpResponseMessage other = await Http.PostBatchAsync(file, "/v1/completions", "batch-1");

        again.Headers.GetValues("idempotency-replayed").ShouldBe(["true"]);
        (await again.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("id").GetString().ShouldBe(id);
        other.StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        (await other.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("error").GetProperty("message").GetString()!.ShouldContain("'batch-1'");
    }

    /// <summary>As where the server was killed between a batch's record and its orchestration.</summary>
    [Fact]
    public async Task Create_AgainWhereItWasNeverBegun_BeginsIt()
    {
        string file = await Http.UploadAsync(Line("one", "demo"));
        string id = await Http.CreateBatchAsync(file, key: "batch-2");
        await Http.EndOfBatchAsync(id);
        await Hub.PurgeInstanceAsync(id["batch_".Length..], Cancellation);
        SubmissionStore submissions = _fixture.Cluster.EdgeServices.GetRequiredService<SubmissionStore>();
        foreach (string name in await submissions.ListAsync("local", Cancellation).ToListAsync(Cancellation))
        {
            if (await submissions.FindAsync(name, "local", Cancellation) is { Submission: var begun } found && id.EndsWith(begun.JobId, StringComparison.Ordinal))
                await submissions.ReplaceAsync(found, begun with { IsTaken = false, BegunAt = begun.BegunAt - TimeSpan.FromMinutes(1) }, Cancellation);
        }

        (await Http.CreateBatchAsync(file, key: "batch-2")).ShouldBe(id);

        (await Http.EndOfBatchAsync(id)).GetProperty("status").GetString().ShouldBe("completed");
    }

    [Fact]
    public async Task Cancel_WhileLinesRun_KeepsWhatWasAnswered()
    {
        int begun = 0;
        _fixture.Engine.BeforeToken = (index, stop) =>
            index == 0 && Interlocked.Increment(ref begun) > 2 ? new TaskCompletionSource().Task.WaitAsync(stop) : Task.CompletedTask;
        string id = await Http.CreateBatchAsync(await Http.UploadAsync(string.Join('\n', Enumerable.Range(0, 8).Select(i => Line($"line-{i}", "demo")))));
        await Http.BatchWhenAsync(id, batch => batch.GetProperty("status").GetString() == "in_progress" && Volatile.Read(ref begun) > 2);

        using HttpResponseMessage cancelled = await Http.PostAsync($"/v1/batches/{id}/cancel", null, Cancellation);
        JsonElement batch = await Http.EndOfBatchAsync(id);

        cancelled.StatusCode.ShouldBe(HttpStatusCode.OK);
        batch.GetProperty("status").GetString().ShouldBe("cancelled");
        int answered = batch.GetProperty("output_file_id").GetString() is { } output ? (await Http.LinesAsync(output)).Length : 0;
        answered.ShouldBeLessThanOrEqualTo(2);
        // Lines of pages that were never begun stand in neither file.
        (await Http.LinesAsync(batch.GetProperty("error_file_id").GetString()!)).Length.ShouldBeInRange(1, 8 - answered);
    }

    /// <summary>As where the hub neither ends nor purges what an orchestration has begun.</summary>
    [Fact]
    public async Task Sweep_EndedBeforeItsPages_LeavesNoneOfThem()
    {
        TaskCompletionSource begun = new(), gate = new();
        _fixture.Engine.BeforeToken = (_, stop) =>
        {
            begun.TrySetResult();
            return gate.Task.WaitAsync(stop);
        };
        string id = (await Http.CreateBatchAsync(await Http.UploadAsync(string.Join('\n', Enumerable.Range(0, 6).Select(i => Line($"line-{i}", "demo"))))))["batch_".Length..];
        await begun.Task.WaitAsync(Cancellation);
        await Hub.TerminateInstanceAsync(id, Cancellation);
        await Hub.WaitForInstanceCompletionAsync(id, Cancellation);
        string[] pages = await InstancesAsync(id);
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(50));
        // Each page is begun by itself.
        while (pages.Length < 3)
        {
            await timer.WaitForNextTickAsync(Cancellation);
            pages = await InstancesAsync(id);
        }

        await SweepAsync();
        foreach (string page in pages.Where(page => page != id))
            await Hub.WaitForInstanceCompletionAsync(page, Cancellation);
        await SweepAsync();
        gate.SetResult();

        (await InstancesAsync(id)).ShouldBeEmpty();
        using HttpResponseMessage gone = await Http.GetAsync($"/v1/batches/batch_{id}", Cancellation);
        gone.StatusCode.ShouldBe(HttpStatusCode.NotFound);

        Task SweepAsync() => _fixture.Cluster.EdgeServices.GetRequiredService<OrchestrationSweep>().SweepAsync(
            Hub, TimeProvider.System.GetUtcNow().AddDays(3), Cancellation);
    }

    [Fact]
    public async Task Files_FromUploadToDeletion_AreShown()
    {
        string id = await Http.UploadAsync("{}");

        JsonElement file = await Http.GetFromJsonAsync<JsonElement>($"/v1/files/{id}", Cancellation);
        file.GetProperty("bytes").GetInt64().ShouldBe(2);
        file.GetProperty("filename").GetString().ShouldBe("input.jsonl");
        file.GetProperty("purpose").GetString().ShouldBe("batch");
        JsonElement files = await Http.GetFromJsonAsync<JsonElement>("/v1/files", Cancellation);
        files.GetProperty("data").EnumerateArray().ShouldContain(one => one.GetProperty("id").GetString() == id);
        (await Http.GetStringAsync($"/v1/files/{id}/content", Cancellation)).ShouldBe("{}");

        using HttpResponseMessage deleted = await Http.DeleteAsync($"/v1/files/{id}", Cancellation);

        (await deleted.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("deleted").GetBoolean().ShouldBeTrue();
        using HttpResponseMessage gone = await Http.GetAsync($"/v1/files/{id}", Cancellation);
        gone.StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("""{"input_file_id":"file-00000000000000000000000000","endpoint":"/v1/chat/completions","completion_window":"24h"}""", "input_file_id names no file")]
    [InlineData("""{"input_file_id":"x","endpoint":"/v1/responses","completion_window":"24h"}""", "endpoint must be one of")]
    [InlineData("""{"endpoint":"/v1/chat/completions","completion_window":"24h"}""", "input_file_id is required")]
    [InlineData("""{"input_file_id":"x","endpoint":"/v1/chat/completions","completion_window":"1h"}""", "completion_window must be 24h")]
    public async Task Create_WhatIsNoBatch_Is400(string body, string error)
    {
        using HttpResponseMessage response = await Http.PostAsync("/v1/batches", new StringContent(body, Encoding.UTF8, "application/json"), Cancellation);

        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("error").GetProperty("message").GetString()!.ShouldContain(error);
    }

    [Fact]
    public async Task Batch_WithoutLines_Fails()
    {
        JsonElement batch = await Http.EndOfBatchAsync(await Http.CreateBatchAsync(await Http.UploadAsync("\n\n")));

        batch.GetProperty("status").GetString().ShouldBe("failed");
        batch.GetProperty("errors").GetProperty("data")[0].GetProperty("message").GetString().ShouldBe("the input has no lines");
    }

    [Fact]
    public async Task Upload_ForAnotherPurpose_Is400()
    {
        using MultipartFormDataContent form = new() { { new StringContent("fine-tune"), "purpose" }, { new StringContent("{}"), "file", "input.jsonl" } };

        using HttpResponseMessage response = await Http.PostAsync("/v1/files", form, Cancellation);

        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Theory]
    [InlineData(32_000_000, HttpStatusCode.OK)]
    [InlineData(33 << 20, HttpStatusCode.RequestEntityTooLarge)]
    public async Task Upload_OfManyBytes_MayHaveAsManyAsAnyBody(int bytes, HttpStatusCode status)
    {
        using MultipartFormDataContent form = new() { { new StringContent("batch"), "purpose" }, { new ByteArrayContent(new byte[bytes]), "file", "input.jsonl" } };

        using HttpResponseMessage response = await Http.PostAsync("/v1/files", form, Cancellation);

        JsonElement answer = await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation);
        response.StatusCode.ShouldBe(status, answer.GetRawText());
        if (status == HttpStatusCode.OK)
            answer.GetProperty("bytes").GetInt64().ShouldBe(bytes);
        else
            answer.GetProperty("error").GetProperty("message").GetString().ShouldBe("request body is larger than 33554432 bytes");
    }

    private static string EmbeddingLine(string id, object body) => BatchCalls.Line(id, body, "/v1/embeddings");

    private static string Line(string id, string model) => BatchCalls.Line(id, new { model, max_tokens = 3, messages = new[] { new { role = "user", content = "hi" } } });

    private async Task<string[]> InstancesAsync(string prefix) =>
        await Hub.GetAllInstancesAsync(new(InstanceIdPrefix: prefix)).Select(instance => instance.InstanceId).ToArrayAsync(Cancellation);
}
