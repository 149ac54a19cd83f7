using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.Jobs;
using OllamaMax.GpuWorker.Tests.Background;
using OllamaMax.LocalHost;
using OllamaMax.TaskHub.Hosting;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Cluster;

namespace OllamaMax.Orchestrations.Tests.Edge;

/// <summary>A job with a strategy whose worker, edge and hub lose storage. Beside the other classes: it waits most of its time.</summary>
public sealed class StrategyOutageTests(AzuriteFixture azurite)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Storage_IsCutOff_TheReaderHasAllWhenItIsBack()
    {
        using LogLines logs = new();
        int port = azurite.Process.Endpoints.BlobPort;
        await using TcpRelay relay = new(port);
        await using TestCluster cluster = await TestCluster.StartAsync(
            azurite.NewAccount().Replace($":{port}/", $":{relay.Port}/", StringComparison.Ordinal),
            configure: services => services.AddTaskHub(LocalTasks.Register).Configure<BackgroundOptions>(options => options.Lease = TimeSpan.FromMinutes(5)),
            logs: logs,
            cancellationToken: Cancellation);
        TaskCompletionSource reached = new(), back = new();
        await cluster.AddWorkerAsync(
            new ScriptedEngine(slots: 2)
            {
                BeforeToken = (index, stop) =>
                {
                    if (index < 10)
                        return Task.CompletedTask;
                    reached.TrySetResult();
                    return back.Task.WaitAsync(stop);
                },
            },
            Cancellation);
        using HttpResponseMessage submitted = await cluster.Client.PostAsJsonAsync("/jobs", new { strategy = "n", n = 1, model = "demo", prompt = "hi", options = new { num_predict = 20 } }, Cancellation);
        string id = (await submitted.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("id").GetString()!;
        await using IAsyncEnumerator<JsonElement> reader = cluster.Client.StreamAsync(id, 0, Cancellation).GetAsyncEnumerator(Cancellation);
        (await reader.MoveNextAsync()).ShouldBeTrue();
        await reached.Task.WaitAsync(Cancellation);

        relay.CutOff(_ => true);
        await logs.WaitForAsync($"A reader of job {id} waits for storage", Cancellation);
        relay.CutOff(_ => false);
        back.SetResult();

        List<JsonElement> lines = [];
        while (await reader.MoveNextAsync())
            lines.Add(reader.Current);
        lines[^1].GetProperty("status").GetString().ShouldBe("completed");
        string.Concat(lines.Select(line => line.TryGetProperty("text", out JsonElement text) ? text.GetString() : "")).ShouldBe(ScriptedEngine.Answer(20));
    }
}
