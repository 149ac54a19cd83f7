using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.Dispatch;
using OllamaMax.GpuWorker.Tests.Background;
using OllamaMax.TestKit.Cluster;

namespace OllamaMax.GpuWorker.Tests.Dispatch;

/// <summary>
/// A flood by one tenant, through edge, storage and worker; only the engine is a script. The storage is its own: how many messages lie in a queue
/// depends on the slots of all workers there.
/// </summary>
public sealed class FairnessTests
{
    private const int Flood = 24;
    private const int Light = 3;

    /// <summary>One runs, three messages (a slot's and two more) lie in storage, and one goes before each of the light tenant's.</summary>
    private const int MostBefore = 1 + 3 + Light;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Generate_FloodOfOneTenant_TheOthersWaitIsBoundedByItsShare()
    {
        await using JobCluster cluster = await JobCluster.StartAsync();
        var gate = new TaskCompletionSource();
        ConcurrentQueue<string> answered = [];
        await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1) { AnswerTokens = 2, BeforeToken = (_, stop) => gate.Task.WaitAsync(stop) });
        Task[] heavy = [.. Enumerable.Range(0, Flood).Select(_ => AskAsync(cluster, "heavy", answered))];
        await UntilWaitingAsync(cluster, Flood - 1, heavy);
        Task[] light = [.. Enumerable.Range(0, Light).Select(_ => AskAsync(cluster, "light", answered))];
        await UntilWaitingAsync(cluster, Flood - 1 + Light, [.. heavy, .. light]);

        gate.SetResult();
        await Task.WhenAll([.. heavy, .. light]);

        string[] order = [.. answered];
        order.Length.ShouldBe(Flood + Light);
        // Answers may overtake each other by a little on their way back through HTTP.
        order.Take(Array.LastIndexOf(order, "light")).Count(tenant => tenant == "heavy").ShouldBeLessThanOrEqualTo(MostBefore + 2);
    }

    private static async Task AskAsync(JobCluster cluster, string tenant, ConcurrentQueue<string> answered)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/generate")
        {
            Headers = { { TestCluster.TenantHeader, tenant } },
            Content = JsonContent.Create(new { model = "demo", prompt = "hi", stream = false }),
        };
        using HttpResponseMessage response = await cluster.Client.SendAsync(request, Cancellation);
        answered.Enqueue(tenant);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    /// <param name="cluster">Whose edge has them.</param>
    /// <param name="jobs">How many jobs shall wait.</param>
    /// <param name="requests">None of them may end before.</param>
    private static async Task UntilWaitingAsync(JobCluster cluster, int jobs, Task[] requests)
    {
        DispatchMetrics metrics = cluster.EdgeServices.GetRequiredService<DispatchMetrics>();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (metrics.Waiting != jobs)
        {
            if (requests.FirstOrDefault(request => request.IsCompleted) is { } ended)
            {
                await ended;
                throw new InvalidOperationException("A request was answered that should have waited.");
            }
            await timer.WaitForNextTickAsync(Cancellation);
        }
    }
}
