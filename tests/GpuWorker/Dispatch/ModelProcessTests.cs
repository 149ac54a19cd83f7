using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.GpuWorker.Tests.Background;
using OllamaMax.Models;
using OllamaMax.Storage.Models;
using OllamaMax.TestKit.Cluster;
using OllamaMax.TestKit.Models;
using OllamaMax.TestKit;

namespace OllamaMax.GpuWorker.Tests.Dispatch;

/// <summary>The whole way, with a real model in a process of its own.</summary>
[Collection(nameof(ModelProcesses))]
public sealed class ModelProcessTests(AzuriteFixture azurite)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Generate_ModelProcessKilledMidAnswer_TheAnswerIsExactAndTheWorkerLives()
    {
        LogLines logs = new();
        await using TestCluster cluster = await TestCluster.StartAsync(azurite.NewAccount(), logs: logs, cancellationToken: Cancellation);
        await PublishAsync(cluster, "endless");
        await cluster.AddWorkerAsync(engine: null, Cancellation, exact: true);
        string undisturbed = string.Concat(await ReadAsync(cluster, onFirst: () => { }));
        int pid = LinuxProcesses.ChildrenOf(Environment.ProcessId).Single(IsModel);

        List<string> disturbed = await ReadAsync(cluster, onFirst: () => LocalSystem.Kill(pid));

        string.Concat(disturbed).ShouldBe(undisturbed);
        LinuxProcesses.ChildrenOf(Environment.ProcessId).Single(IsModel).ShouldNotBe(pid);
        await logs.WaitForAsync(line => line.Contains("did not end request", StringComparison.Ordinal) && line.Contains("the model's process ended", StringComparison.Ordinal), Cancellation);
    }

    [Fact]
    public async Task Unload_ModelOnTwoWorkers_LeavesTheMemoryOfBoth()
    {
        await using TestCluster cluster = await TestCluster.StartAsync(azurite.NewAccount(), logs: new LogLines(),
            cancellationToken: Cancellation);
        var gate = new TaskCompletionSource();
        ScriptedEngine Engine() => new(slots: 1) { BeforeToken = (_, stop) => gate.Task.WaitAsync(stop) };
        await cluster.AddWorkerAsync(Engine(), Cancellation);
        await cluster.AddWorkerAsync(Engine(), Cancellation);
        Task<HttpResponseMessage>[] both = [GenerateAsync(cluster), GenerateAsync(cluster)];
        await UntilLoadedAsync(cluster, copies: 2);
        gate.SetResult();
        foreach (HttpResponseMessage one in await Task.WhenAll(both))
            one.Dispose();
        JsonElement running = (await JsonAsync(cluster, "/api/ps")).GetProperty("models").EnumerateArray().Single(model => model.GetProperty("name").GetString() == "demo:latest");
        running.GetProperty("context_length").GetInt32().ShouldBe(4096);
        running.GetProperty("expires_at").GetDateTimeOffset().ShouldBeLessThan(DateTimeOffset.MaxValue - TimeSpan.FromDays(1));

        using HttpResponseMessage answer = await cluster.Client.PostAsJsonAsync("/api/generate", new { model = "demo", keep_alive = 0 }, Cancellation);

        (await answer.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("done_reason").GetString().ShouldBe("unload");
        // Not asked of /api/ps: workers of other tests share the storage, and a lost one's models stand there until it is gone.
        await UntilLoadedAsync(cluster, copies: 0);
    }

    private static Task<HttpResponseMessage> GenerateAsync(TestCluster cluster) =>
        cluster.Client.PostAsJsonAsync("/api/generate", new { model = "demo", prompt = "hi", raw = true, stream = false }, Cancellation);

    private static async Task<JsonElement> JsonAsync(TestCluster cluster, string path) =>
        await cluster.Client.GetFromJsonAsync<JsonElement>(path, Cancellation);

    private static async Task UntilLoadedAsync(TestCluster cluster, int copies)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (true)
        {
            JsonElement workers = (await JsonAsync(cluster, "/cluster/workers")).GetProperty("workers");
            int loaded = workers.EnumerateArray()
                .Where(worker => worker.GetProperty("pid").GetInt32() == Environment.ProcessId && worker.GetProperty("state").GetString() == "alive")
                .Sum(worker => worker.GetProperty("models").EnumerateArray().Count(model => model.GetProperty("loaded").GetBoolean()));
            if (loaded == copies)
                return;
            await timer.WaitForNextTickAsync(Cancellation);
        }
    }

    private static bool IsModel(int pid)
    {
        using Process process = Process.GetProcessById(pid);
        return File.ReadAllText($"/proc/{process.Id}/cmdline").Split('\0') is [_, var program, "engine", ..]
            && program.EndsWith("OllamaMax.GpuWorker.dll", StringComparison.Ordinal);
    }

    private static async Task PublishAsync(TestCluster cluster, string name)
    {
        using var folder = new TempFolder();
        string file = folder.File("model.gguf");
        // Large enough that an answer takes longer than it takes to kill.
        GgufGenerator.Write(file, new GgufSpec { Layers = 4, Width = 384, Heads = 6, FeedForward = 768 });
        await cluster.EdgeServices.GetRequiredService<ModelCatalog>().PublishAsync(
            file, new ModelName(ModelName.DefaultHost, ModelName.DefaultNamespace, name, ModelName.DefaultTag), null, Cancellation);
    }

    private static async Task<List<string>> ReadAsync(TestCluster cluster, Action onFirst)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/generate")
        {
            Content = JsonContent.Create(new { model = "endless", prompt = "hello", raw = true, options = new { temperature = 0, num_predict = 400 } }),
        };
        using HttpResponseMessage response = await cluster.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(Cancellation));
        List<string> pieces = [];
        while (await reader.ReadLineAsync(Cancellation) is { } line)
        {
            JsonElement json = JsonDocument.Parse(line).RootElement;
            json.TryGetProperty("error", out JsonElement error).ShouldBeFalse(line);
            pieces.Add(json.GetProperty("response").GetString()!);
            if (pieces.Count == 1)
                onFirst();
            if (json.GetProperty("done").GetBoolean())
                json.GetProperty("eval_count").GetInt32().ShouldBe(400);
        }
        return pieces;
    }
}
