using System.Net;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Cluster;
using OllamaMax.Edge.Cluster;
using OllamaMax.GpuWorker.Tests.Background;
using OllamaMax.Storage.Workers;
using OllamaMax.TestKit.Cluster;

namespace OllamaMax.GpuWorker.Tests.Cluster;

/// <summary>Workers that people drain, from the call to the worker and back. A storage of its own: of several clusters over one, any may lead.</summary>
public sealed class DrainedWorkerTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(200);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Drain_OneOfTwo_TakesNothingUntilItIsUndrained()
    {
        LogLines logs = new();
        await using JobCluster cluster = await StartAsync(logs);
        ScriptedEngine first = new(slots: 1), second = new(slots: 1);
        await cluster.AddWorkerAsync(first);
        string one = (await WorkersAsync(cluster)).Single().GetProperty("id").GetString()!;

        Asked(await WishAsync(cluster, one, "drain")).ShouldBe(("draining", true));
        await UntilItReportsAsync(cluster, one, isDraining: true);
        await logs.WaitForAsync("Drained from afar", Cancellation);
        await cluster.AddWorkerAsync(second);
        await RunAsync(cluster, jobs: 4);
        first.Steps.ShouldBe(0);

        string other = (await WorkersAsync(cluster)).Select(worker => worker.GetProperty("id").GetString()!).Single(id => id != one);
        // What it does by its last report, and what is wished: whichever of the two was first.
        (string state, bool isRequested) = Asked(await WishAsync(cluster, one, "undrain"));
        isRequested.ShouldBeFalse($"it is {state}");
        await WishAsync(cluster, other, "drain");
        await UntilItReportsAsync(cluster, one, isDraining: false);
        await logs.WaitForAsync("The drain is taken back", Cancellation);
        await UntilItReportsAsync(cluster, other, isDraining: true);
        long before = second.Steps;
        await RunAsync(cluster, jobs: 2);

        first.Steps.ShouldBePositive();
        second.Steps.ShouldBe(before);
        JsonElement status = await ShowAsync(cluster, "/cluster/status");
        (status.GetProperty("workers").GetProperty("alive").GetInt32(), status.GetProperty("workers").GetProperty("draining").GetInt32()).ShouldBe((1, 1));
        status.GetProperty("leader").GetProperty("id").GetString().ShouldBe(status.GetProperty("edge").GetProperty("id").GetString());
        status.GetProperty("epoch").GetInt64().ShouldBe(1);
        status.GetProperty("queues").EnumerateArray().ShouldContain(
            queue => queue.GetProperty("model").GetString() == "demo:latest" && queue.GetProperty("band").GetString() == "batch");
    }

    /// <summary>An edge hears of the slots that its own jobs take, and of others' with the next report.</summary>
    [Fact]
    public async Task Drain_WhileItAnswers_IsDrainedOnceItSaysSoItself()
    {
        await using JobCluster cluster = await StartAsync();
        TaskCompletionSource answers = new(), mayEnd = new();
        ScriptedEngine engine = new(slots: 1)
        {
            BeforeToken = (_, stop) =>
            {
                answers.TrySetResult();
                return mayEnd.Task.WaitAsync(stop);
            },
        };
        await cluster.AddWorkerAsync(engine);
        string id = await cluster.Client.SubmitAsync();
        await answers.Task.WaitAsync(Cancellation);
        string worker = (await WorkersAsync(cluster)).Single().GetProperty("id").GetString()!;

        (await WishAsync(cluster, worker, "drain")).GetProperty("drained").GetBoolean().ShouldBeFalse("nobody has told it");
        await UntilItReportsAsync(cluster, worker, isDraining: true);
        (await WorkersAsync(cluster)).Single().GetProperty("drained").GetBoolean().ShouldBeFalse("it runs one");
        mayEnd.SetResult();
        await cluster.Client.ShowWhenAsync(id, "completed");

        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(50));
        while (!(await WorkersAsync(cluster)).Single().GetProperty("drained").GetBoolean())
            await timer.WaitForNextTickAsync(Cancellation);
    }

    [Fact]
    public async Task Drain_WorkerThatNobodyKnows_IsNotFound()
    {
        await using JobCluster cluster = await StartAsync();

        using HttpResponseMessage response = await cluster.Client.PostAsync("/cluster/workers/nobody/drain", null, Cancellation);

        response.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await cluster.EdgeServices.GetRequiredService<ClusterDocuments>().State.ReadAsync(Cancellation)).Content.Drains.ShouldBeEmpty();
    }

    private static Task<JobCluster> StartAsync(LogLines? logs = null) => JobCluster.StartAsync(
        logs: logs, services: edge => edge.Configure<ClusterOptions>(options => (options.Tick, options.ListEvery) = (Soon, Soon)));

    private static async Task RunAsync(JobCluster cluster, int jobs)
    {
        string[] ids = await Task.WhenAll(Enumerable.Range(0, jobs).Select(_ => cluster.Client.SubmitAsync()));
        foreach (string id in ids)
            await cluster.Client.ShowWhenAsync(id, "completed");
    }

    private static async Task UntilItReportsAsync(JobCluster cluster, string worker, bool isDraining)
    {
        Heartbeats heartbeats = cluster.EdgeServices.GetRequiredService<Heartbeats>();
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(50));
        while ((await heartbeats.ListAsync(Cancellation)).Single(view => view.Report.Id == worker).Report.Draining != isDraining)
            await timer.WaitForNextTickAsync(Cancellation);
    }

    private static async Task<JsonElement> WishAsync(JobCluster cluster, string worker, string wish)
    {
        using HttpResponseMessage response = await cluster.Client.PostAsync($"/cluster/workers/{worker}/{wish}", null, Cancellation);
        string body = await response.Content.ReadAsStringAsync(Cancellation);
        response.StatusCode.ShouldBe(HttpStatusCode.OK, body);
        return JsonElement.Parse(body);
    }

    private static (string State, bool IsRequested) Asked(JsonElement worker) => (worker.GetProperty("state").GetString()!, worker.GetProperty("drain_requested").GetBoolean());

    private static async Task<JsonElement.ArrayEnumerator> WorkersAsync(JobCluster cluster) =>
        (await ShowAsync(cluster, "/cluster/workers")).GetProperty("workers").EnumerateArray();

    private static async Task<JsonElement> ShowAsync(JobCluster cluster, string path) => JsonElement.Parse(await cluster.Client.GetStringAsync(path, Cancellation));
}
