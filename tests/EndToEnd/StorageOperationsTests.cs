using System.Diagnostics;
using System.Text.Json;
using Azure.Storage.Queues;
using OllamaMax.Jobs;
using OllamaMax.LocalHost.Azurite;
using OllamaMax.TestKit;

namespace OllamaMax.EndToEnd.Tests;

/// <summary>What requests and idleness cost at the storage account, counted in Azurite's own log.</summary>
[Collection(nameof(RunsAlone))]
public sealed class StorageOperationsTests : IAsyncLifetime
{
    /// <summary>A worker that runs requests reports this often, and an edge that has any lists the reports this often.</summary>
    private const double BusySeconds = 10;

    private readonly TempFolder _folder = new();
    private AzuriteProcess? _azurite;
    private LocalSystem? _system;
    private HttpClient? _client;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private LocalSystem System => _system!;

    private HttpClient Client => _client!;

    public async ValueTask InitializeAsync()
    {
        _azurite = await AzuriteFixture.StartAsync(location: null, Cancellation, debugLog: _folder.File("debug.log"));
        _system = await LocalSystem.StartAsync(
            new()
            {
                Model = LocalSystemFixture.WriteEndless(_folder),
                Environment = new Dictionary<string, string?> { ["AzureWebJobsStorage"] = _azurite.ConnectionString },
            },
            Cancellation);
        _client = _system.Client();
        await _client.ChatAsync();
    }

    [Fact]
    public async Task Chat_FreeSlot_CostsNoOperation()
    {
        const int Requests = 20;
        long start = Stopwatch.GetTimestamp();
        int from = Operations().Count;

        for (int i = 0; i < Requests; i++)
            await Client.ChatAsync();

        List<string> operations = Operations()[from..];
        operations.Where(operation => !IsReport(operation)).ShouldBeEmpty();
        operations.Count.ShouldBeLessThanOrEqualTo(Reports(Stopwatch.GetElapsedTime(start)));
    }

    [Fact]
    public async Task Chat_Queued_CostsAtMostFourOperations()
    {
        const int Requests = 8;
        JsonElement worker = (await Client.WorkersAsync())[0];
        int slots = worker.GetProperty("slots").GetProperty("total").GetInt32();
        await MakeQueueAsync(worker.GetProperty("models").EnumerateArray().Single(model => model.GetProperty("name").GetString() == "demo:latest"));
        List<Stream> busy = [];
        for (int i = 0; i < slots; i++)
            busy.Add(await Client.BeginEndlessAsync());
        double queuedBefore = await Client.MetricAsync("ollamamax_jobs_queued_total");
        long start = Stopwatch.GetTimestamp();
        int from = Operations().Count;

        Task<string>[] waiting = [.. Enumerable.Range(0, Requests).Select(_ => Client.ChatAsync())];
        Task all = Task.WhenAll(waiting);
        while (!all.IsCompleted && await Client.MetricAsync("ollamamax_jobs_queued_total") - queuedBefore < Requests)
        {
            // Each look is a request and its answer; the slots are busy for thousands of tokens.
        }
        foreach (Stream stream in busy)
            await stream.DisposeAsync();
        await all;

        List<string> operations = Operations()[from..];
        await Client.MetricShouldBecomeAsync("ollamamax_jobs_queued_total", queuedBefore + Requests);
        operations.Count(operation => operation.StartsWith("POST ", StringComparison.Ordinal)).ShouldBe(Requests, "one put for each");
        int reports = Math.Min(operations.Count(IsReport), Reports(Stopwatch.GetElapsedTime(start)));
        (operations.Count - reports).ShouldBeLessThanOrEqualTo(4 * Requests, string.Join('\n', operations));
    }

    /// <summary>Takes a minute of real time: <c>.ci/nightly</c>.</summary>
    [Fact(Explicit = true)]
    [Trait("Category", "Slow")]
    public async Task Idle_ForAMinute_CostsAtMostTenOperations()
    {
        await LookedIntoAllAsync();
        int from = Operations().Count;
        using PeriodicTimer minute = new(TimeSpan.FromMinutes(1));
        await minute.WaitForNextTickAsync(Cancellation);

        List<string> operations = Operations()[from..];

        TestContext.Current.TestOutputHelper?.WriteLine($"{operations.Count} operations:\n{string.Join('\n', operations)}");
        operations.Count.ShouldBeLessThanOrEqualTo(10);
    }

    public async ValueTask DisposeAsync()
    {
        _client?.Dispose();
        if (_system is not null)
            await _system.DisposeAsync();
        if (_azurite is not null)
            await _azurite.DisposeAsync();
        _folder.Dispose();
    }

    /// <summary>A worker looks into each of its queues within a minute, and again each minute: one round of these belongs to a minute, not two.</summary>
    private async Task LookedIntoAllAsync()
    {
        int queues = (await Client.WorkersAsync())[0].GetProperty("models").GetArrayLength() * Enum.GetValues<Band>().Length;
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(100));
        while (Operations().Where(operation => operation.StartsWith("GET ", StringComparison.Ordinal) && operation.Contains("/messages?", StringComparison.Ordinal))
            .Select(operation => operation.Split('?')[0]).Distinct().Count() < queues)
            await timer.WaitForNextTickAsync(Cancellation);
    }

    /// <summary>A model's first waiting job makes its queue, and those that come together with it try to: that is not what each one costs.</summary>
    private async Task MakeQueueAsync(JsonElement model) => await new QueueClient(
        _azurite!.ConnectionString, JobQueueName.For(model.GetProperty("digest").GetString()!, Band.Interactive)).CreateAsync(cancellationToken: Cancellation);

    /// <summary>Method and URL of every request so far, without signatures.</summary>
    private List<string> Operations()
    {
        using FileStream stream = new(_folder.File("debug.log"), FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using StreamReader reader = new(stream);
        List<string> operations = [];
        while (reader.ReadLine() is { } line)
        {
            if (Field(line, "RequestMethod=") is { } method)
                operations.Add($"{method} {Field(line, "RequestURL=")?.Split("sig=")[0]}");
        }
        return operations;
    }

    private static string? Field(string line, string name)
    {
        int at = line.IndexOf(name, StringComparison.Ordinal);
        return at < 0 ? null : line[(at + name.Length)..].Split(' ')[0];
    }

    /// <summary>A heartbeat, their listing with the cluster's state, or the leader's lease: they come with time, not with requests.</summary>
    private static bool IsReport(string operation) =>
        Array.Exists(["/cluster/workers/", "/cluster/state", "/cluster/leader", "comp=list"], part => operation.Contains(part, StringComparison.Ordinal));

    /// <summary>
    /// Most of them in this time: of each kind one at its beginning, then one an interval; a model that was loaded is reported besides, and a change of the members is
    /// written.
    /// </summary>
    private static int Reports(TimeSpan time) => 4 * (1 + (int)Math.Ceiling(time.TotalSeconds / BusySeconds)) + 2;
}
