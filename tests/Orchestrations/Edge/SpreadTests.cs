using System.Net.Http.Json;
using System.Text.Json;
using OllamaMax.GpuWorker.Tests.Background;
using OllamaMax.LocalHost;
using OllamaMax.TaskHub.Hosting;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Cluster;

namespace OllamaMax.Orchestrations.Tests.Edge;

/// <summary>Jobs of one strategy go to different workers where there are as many.</summary>
public sealed class SpreadTests(AzuriteFixture azurite)
{
    private const int Workers = 3;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Choices_WithAsManyWorkers_RunEachOnItsOwn_AndWithMoreTheRestSomewhere()
    {
        await using JobCluster cluster = await JobCluster.StartAsync(
            options => options.ChoosyFor = TimeSpan.FromMinutes(2), services: services => services.AddTaskHub(LocalTasks.Register), azurite: azurite);
        await FetchReplicaAsync(cluster);
        TaskCompletionSource gate = new();
        for (int i = 0; i < Workers; i++)
            await cluster.AddWorkerAsync(new ScriptedEngine(slots: 4) { BeforeToken = (_, stop) => gate.Task.WaitAsync(stop) });

        string id = await SubmitAsync(cluster.Client, Workers);
        string more = await SubmitAsync(cluster.Client, Workers + 1);

        (await WorkersAsync(cluster.Client, id, Workers)).Distinct().Count().ShouldBe(Workers);
        (await WorkersAsync(cluster.Client, more, Workers + 1)).Distinct().Count().ShouldBe(Workers);
        gate.SetResult();
        await cluster.Client.ShowWhenAsync(id, "completed");
        await cluster.Client.ShowWhenAsync(more, "completed");
    }

    /// <summary>The workers of a cluster here share their replicas: those that come later say at once that they hold the model.</summary>
    private static async Task FetchReplicaAsync(JobCluster cluster)
    {
        TestWorker first = await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1));
        await cluster.Client.ReadAsync(await cluster.Client.SubmitAsync());
        await first.DrainAsync();
    }

    private static async Task<string> SubmitAsync(HttpClient http, int n)
    {
        using HttpResponseMessage response = await http.PostAsJsonAsync("/jobs", new { strategy = "n", n, model = "demo", prompt = "hi" }, Cancellation);
        return (await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("id").GetString()!;
    }

    /// <summary>Waits until all branches run, and answers who runs them.</summary>
    private static async Task<string[]> WorkersAsync(HttpClient http, string id, int branches)
    {
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(50));
        while (true)
        {
            string[] jobs = [.. (await http.ShowAsync(id)).GetProperty("branches").EnumerateArray()
                .Where(branch => branch.TryGetProperty("job_id", out _)).Select(branch => branch.GetProperty("job_id").GetString()!)];
            List<string> workers = [];
            foreach (string job in jobs)
            {
                using HttpResponseMessage response = await http.GetAsync($"/jobs/{job}", Cancellation);
                JsonElement shown = await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation);
                if (shown.TryGetProperty("worker_id", out JsonElement worker))
                    workers.Add(worker.GetString()!);
            }
            if (workers.Count == branches)
                return [.. workers];
            await timer.WaitForNextTickAsync(Cancellation);
        }
    }
}
