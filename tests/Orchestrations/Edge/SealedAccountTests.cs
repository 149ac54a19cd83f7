using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.Batches;
using OllamaMax.GpuWorker.Tests.Background;
using OllamaMax.LocalHost;
using OllamaMax.Orchestrations.Tests.Support;
using OllamaMax.TaskHub.Hosting;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Cluster;

namespace OllamaMax.Orchestrations.Tests.Edge;

/// <summary>What lies in the account, and goes to workers that claim, of what was asked and answered, whichever way it was asked for: with content encrypted nothing, and without it all, so that what looks for it would find it.</summary>
public sealed class SealedAccountTests(AzuriteFixture azurite)
{
    private const string Asked = "PlumsAreAskedFor";
    private const string Answered = "PearsAreAnswered";

    private static readonly string[] TwiceDemo = ["demo", "demo"];

    /// <summary>Where both are to be looked for: what lies under these names has one of them, when it is not encrypted.</summary>
    private static readonly string[] PlacesOfPrompts = ["jobs/records/", "jobs/strategy-content/", "jobs/files/", "jobs/responses/", "claim"];

    private static readonly string[] PlacesOfAnswers = ["jobs/output/", "jobs/files/", "jobs/responses/", "taskhub/instances/"];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task EveryWay_OfAsking_LeavesNothingReadableWhereContentIsEncrypted(bool isEncrypted)
    {
        ClaimTap claims = new();
        await using JobCluster cluster = await JobCluster.StartAsync(
            services: services => services.AddSingleton<IStartupFilter>(claims).AddTaskHub(LocalTasks.Register).Configure<BatchOptions>(batches => batches.PageLines = 1),
            keys: isEncrypted ? ContentKeyTexts.Of("k1") : null,
            azurite: azurite);
        TaskCompletionSource gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        // Its answer is JSON, so that there is something to vote on.
        string[] pieces = ["{\"answer\":\"", Answered, "\"}"];
        await cluster.AddWorkerAsync(new ScriptedEngine(slots: 4)
        {
            AnswerTokens = pieces.Length,
            Piece = index => pieces[index],
            BeforeToken = (index, stop) =>
            {
                if (index < 2)
                    return Task.CompletedTask;
                begun.TrySetResult();
                return gate.Task.WaitAsync(stop);
            },
        });
        HttpClient http = cluster.Client;

        string[] jobs =
        [
            await SubmitAsync(http, new { model = "demo", prompt = Asked }),
            await SubmitAsync(http, new { strategy = "n", n = 2, model = "demo", prompt = Asked }),
            await SubmitAsync(http, new { strategy = "map_reduce", model = "demo", text = $"{Asked} and more", map_prompt = Asked + " {text}", reduce_prompt = Asked + " {text}" }),
            await SubmitAsync(http, new { strategy = "ensemble", models = TwiceDemo, prompt = Asked, vote = new { field = "answer" } }),
        ];
        string background = await IdOfAsync(http.PostAsJsonAsync("/v1/responses", new { model = "demo", input = Asked, background = true }, Cancellation));
        string batch = await BatchAsync(http);
        await WhenAsync(http, $"/v1/batches/{batch}", "in_progress");
        await begun.Task.WaitAsync(Cancellation);
        IReadOnlyList<StoredContent> underWay = await StoredContent.ReadAllAsync(cluster.Storage, Cancellation);
        gate.SetResult();
        await IdOfAsync(http.PostAsJsonAsync("/v1/responses", new { model = "demo", input = Asked }, Cancellation));
        foreach (string path in (string[])[.. jobs.Select(id => $"/jobs/{id}"), $"/v1/responses/{background}", $"/v1/batches/{batch}"])
            await WhenAsync(http, path, "completed");
        StoredContent[] all = [.. claims.Heard, .. underWay, .. await StoredContent.ReadAllAsync(cluster.Storage, Cancellation)];

        // All that was asked for is there.
        (await http.ShowAsync(jobs[3])).GetProperty("vote").GetProperty("value").GetString().ShouldBe(Answered);
        JsonElement done = await http.GetFromJsonAsync<JsonElement>($"/v1/batches/{batch}", Cancellation);
        (await http.GetStringAsync($"/v1/files/{done.GetProperty("output_file_id").GetString()}/content", Cancellation)).ShouldContain(Answered);
        (await http.GetStringAsync("/tenants/local/export", Cancellation)).ShouldContain(Asked);
        all.Where(one => one.Name.StartsWith("table ", StringComparison.Ordinal)).ShouldBeEmpty();
        // And none of it, or all, can be read without the key.
        string[] asked = [.. all.Where(one => one.Has(Asked)).Select(one => one.Name)];
        string[] answered = [.. all.Where(one => one.Has(Answered)).Select(one => one.Name)];
        if (isEncrypted)
        {
            asked.ShouldBeEmpty();
            answered.ShouldBeEmpty();
            return;
        }
        PlacesOfPrompts.ShouldAllBe(place => asked.Any(name => name.StartsWith(place, StringComparison.Ordinal)));
        PlacesOfAnswers.ShouldAllBe(place => answered.Any(name => name.StartsWith(place, StringComparison.Ordinal)));
    }

    private static Task<string> SubmitAsync(HttpClient http, object body) => IdOfAsync(http.PostAsJsonAsync("/jobs", body, Cancellation));

    private static async Task<string> BatchAsync(HttpClient http)
    {
        string line = JsonSerializer.Serialize(new
        {
            custom_id = "one",
            method = "POST",
            url = "/v1/chat/completions",
            body = new { model = "demo", messages = new[] { new { role = "user", content = Asked } } },
        });
        using MultipartFormDataContent form = new() { { new StringContent("batch"), "purpose" }, { new StringContent(line), "file", "input.jsonl" } };
        string file = await IdOfAsync(http.PostAsync("/v1/files", form, Cancellation));
        return await IdOfAsync(http.PostAsJsonAsync("/v1/batches", new { input_file_id = file, endpoint = "/v1/chat/completions", completion_window = "24h" }, Cancellation));
    }

    private static async Task<string> IdOfAsync(Task<HttpResponseMessage> pending)
    {
        using HttpResponseMessage response = await pending;
        string text = await response.Content.ReadAsStringAsync(Cancellation);
        response.IsSuccessStatusCode.ShouldBeTrue(text);
        return JsonElement.Parse(text).GetProperty("id").GetString()!;
    }

    private static async Task WhenAsync(HttpClient http, string path, string status)
    {
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(50));
        while ((await http.GetFromJsonAsync<JsonElement>(path, Cancellation)).GetProperty("status").GetString() != status)
            await timer.WaitForNextTickAsync(Cancellation);
    }
}
