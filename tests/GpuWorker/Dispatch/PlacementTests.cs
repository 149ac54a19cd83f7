using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.Tenants;
using OllamaMax.GpuWorker.Tests.Background;
using OllamaMax.TestKit.Cluster;

namespace OllamaMax.GpuWorker.Tests.Dispatch;

/// <summary>Where jobs may run and how many of a tenant's at once, through edge, storage and workers; only the engines are scripts. The storage is its own.</summary>
public sealed class PlacementTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Pushed, queued and in the background: the worker elsewhere is free all the time and gets none of them.</summary>
    [Fact]
    public async Task Jobs_OfATenantThatIsKeptToASite_RunNowhereElse()
    {
        await using JobCluster cluster = await JobCluster.StartAsync(services: edge =>
            edge.Configure<TenantOptions>(tenants => tenants.Limits["acme"] = new TenantLimits { Labels = "site=berlin" }));
        int elsewhere = 0;
        var gate = new TaskCompletionSource();
        await cluster.AddWorkerAsync(new ScriptedEngine(slots: 4)
        {
            BeforeToken = (_, _) =>
            {
                Interlocked.Increment(ref elsewhere);
                return Task.CompletedTask;
            },
        });
        await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1) { BeforeToken = (_, stop) => gate.Task.WaitAsync(stop) }, site: "berlin");

        Task<HttpStatusCode>[] interactive = [.. Enumerable.Range(0, 3).Select(_ => AskAsync(cluster, "acme"))];
        string background = await SubmitAsync(cluster, "acme");
        // One of another tenant wakes the worker elsewhere, which looks into the queues again when it has ended.
        (await AskAsync(cluster, "other")).ShouldBe(HttpStatusCode.OK);
        int others = Volatile.Read(ref elsewhere);
        gate.SetResult();

        (await Task.WhenAll(interactive)).ShouldAllBe(status => status == HttpStatusCode.OK);
        await ShowWhenAsync(cluster, "acme", background, "completed");
        others.ShouldBeGreaterThan(0);
        Volatile.Read(ref elsewhere).ShouldBe(others);
    }

    [Fact]
    public async Task Jobs_TenantHasAllRunningInTheBackgroundThatItMay_LetsOthersPass()
    {
        await using JobCluster cluster = await JobCluster.StartAsync(services: edge =>
            edge.Configure<TenantOptions>(tenants => tenants.Limits["heavy"] = new TenantLimits { MaxInFlight = 1 }));
        var gate = new TaskCompletionSource();
        await cluster.AddWorkerAsync(new ScriptedEngine(slots: 2) { BeforeToken = (_, stop) => gate.Task.WaitAsync(stop) });
        string first = await SubmitAsync(cluster, "heavy");
        await ShowWhenAsync(cluster, "heavy", first, "running");
        string second = await SubmitAsync(cluster, "heavy");

        string light = await SubmitAsync(cluster, "light");
        await ShowWhenAsync(cluster, "light", light, "running");

        (await ShowAsync(cluster, "heavy", second)).GetProperty("status").GetString().ShouldBe("queued");
        gate.SetResult();
    }

    private static async Task<HttpStatusCode> AskAsync(JobCluster cluster, string tenant)
    {
        using HttpResponseMessage response = await SendAsync(cluster, tenant, HttpMethod.Post, "/api/generate", new { model = "demo", prompt = "hi", stream = false });
        return response.StatusCode;
    }

    private static async Task<string> SubmitAsync(JobCluster cluster, string tenant)
    {
        using HttpResponseMessage response = await SendAsync(cluster, tenant, HttpMethod.Post, "/jobs", new { model = "demo", prompt = "hi" });
        response.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        return (await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("id").GetString()!;
    }

    private static async Task<JsonElement> ShowAsync(JobCluster cluster, string tenant, string id)
    {
        using HttpResponseMessage response = await SendAsync(cluster, tenant, HttpMethod.Get, $"/jobs/{id}", body: null);
        return await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation);
    }

    private static async Task ShowWhenAsync(JobCluster cluster, string tenant, string id, string status)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while ((await ShowAsync(cluster, tenant, id)).GetProperty("status").GetString() != status)
            await timer.WaitForNextTickAsync(Cancellation);
    }

    private static async Task<HttpResponseMessage> SendAsync(JobCluster cluster, string tenant, HttpMethod method, string path, object? body)
    {
        using HttpRequestMessage request = new(method, path) { Headers = { { TestCluster.TenantHeader, tenant } } };
        if (body is not null)
            request.Content = JsonContent.Create(body);
        return await cluster.Client.SendAsync(request, Cancellation);
    }
}
