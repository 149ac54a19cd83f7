using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.Security.Sealing;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Cluster;

namespace OllamaMax.GpuWorker.Tests.Background;

/// <summary>Background jobs that are encrypted where they lie, while keys change.</summary>
public sealed class SealedJobTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Keys_RotatedWhileItRuns_ItEndsAndAllIsReadableButOverSignalR()
    {
        string keys = ContentKeyTexts.Of("k1");
        await using JobCluster cluster = await StartAsync(() => keys);
        TaskCompletionSource reached = new(), gate = new();
        await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1)
        {
            BeforeToken = (index, stop) =>
            {
                if (index < 10)
                    return Task.CompletedTask;
                reached.TrySetResult();
                return gate.Task.WaitAsync(stop);
            },
        });
        string running = await cluster.Client.SubmitAsync();
        await reached.Task.WaitAsync(Cancellation);
        using HttpResponseMessage refused = await cluster.Client.PostAsync($"/jobs/{running}/subscribe", null, Cancellation);

        keys = ContentKeyTexts.Of("k2", "k1");
        await cluster.RestartEdgeAsync();
        gate.SetResult();
        string next = await cluster.Client.SubmitAsync();

        refused.StatusCode.ShouldBe(HttpStatusCode.Conflict);
        (await refused.Content.ReadAsStringAsync(Cancellation)).ShouldContain($"/jobs/{running}/stream", customMessage: "the way that there is");
        foreach (var (id, key) in ((string, string)[])[(running, "k1"), (next, "k2")])
        {
            (await cluster.Client.ReadAsync(id)).Text.ShouldBe(ScriptedEngine.Answer(20));
            (await cluster.RecordAsync(id)).SealedWith.ShouldBe(key);
        }
    }

    [Fact]
    public async Task Key_Missing_IsSaidWhereContentIsWantedAndHindersNothingElse()
    {
        string keys = ContentKeyTexts.Of("k1");
        await using JobCluster cluster = await StartAsync(() => keys);
        string waiting = await cluster.Client.SubmitAsync();
        (await cluster.Client.DeleteJobAsync(waiting)).ShouldBe(HttpStatusCode.OK);
        await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1));
        string done = await cluster.Client.SubmitAsync();
        await cluster.Client.ShowWhenAsync(done, "completed");
        string response = await RespondAsync(cluster);

        keys = ContentKeyTexts.Of("k2");
        await cluster.RestartEdgeAsync();

        foreach (string path in (string[])[$"/jobs/{done}", $"/jobs/{done}/stream", $"/v1/responses/{response}"])
        {
            using HttpResponseMessage refused = await cluster.Client.GetAsync(path, Cancellation);
            refused.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable, path);
            (await refused.Content.ReadAsStringAsync(Cancellation)).ShouldContain("encrypted with the content key 'k1'");
        }
        (await cluster.Client.ShowAsync(waiting)).GetProperty("status").GetString().ShouldBe("cancelled");
        (await cluster.Client.DeleteJobAsync(done)).ShouldBe(HttpStatusCode.NoContent);
        JsonElement erased = await cluster.Client.DeleteFromJsonAsync<JsonElement>("/tenants/local/data", Cancellation);
        (erased.GetProperty("jobs").GetInt32(), erased.GetProperty("responses").GetInt32()).ShouldBe((1, 1));
    }

    /// <summary>A worker that claimed it could not be told what to run: the job waits until somebody has the key again.</summary>
    [Fact]
    public async Task Key_MissingWhenItIsClaimed_IsNoAttempt()
    {
        string keys = ContentKeyTexts.Of("k1");
        using LogLines logs = new();
        await using JobCluster cluster = await StartAsync(() => keys, logs);
        string id = await cluster.Client.SubmitAsync();
        keys = ContentKeyTexts.Of("k2");
        await cluster.RestartEdgeAsync();

        await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1));
        await logs.WaitForAsync("The content key 'k1' is missing", Cancellation);

        (await cluster.RecordAsync(id)).Attempts.ShouldBe(0);
        keys = ContentKeyTexts.Of("k2", "k1");
        await cluster.RestartEdgeAsync();
        JsonElement job = await cluster.Client.ShowWhenAsync(id, "completed");
        job.GetProperty("attempts").GetInt32().ShouldBe(1);
    }

    /// <param name="keys">Asked by each edge that starts.</param>
    private static Task<JobCluster> StartAsync(Func<string> keys, LogLines? logs = null) => JobCluster.StartAsync(
        options => options.Lease = TimeSpan.FromSeconds(2), logs, keys: "", services: edge => edge.Configure<ContentKeyOptions>(options => options.Keys = keys()));

    private static async Task<string> RespondAsync(JobCluster cluster)
    {
        using HttpResponseMessage response = await cluster.Client.PostAsJsonAsync("/v1/responses", new { model = "demo", input = "hi" }, Cancellation);
        return (await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("id").GetString()!;
    }
}
