using System.Diagnostics;
using System.Text.Json;
using OllamaMax.TestKit;

namespace OllamaMax.EndToEnd.Tests;

/// <summary>Parts die between requests, and the next request is answered.</summary>
[Collection(nameof(OneSystem))]
public sealed class RecoveryTests(LocalSystemFixture local)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task OnlyWorkerKilled_BetweenRequests_AnotherAnswersTheNext()
    {
        string before = await local.Client.ChatAsync();
        int first = local.System.WorkerPids.Single();

        LocalSystem.Kill(first);

        (await local.Client.ChatAsync()).ShouldBe(before);
        local.System.WorkerPids.Single().ShouldNotBe(first);
    }

    [Fact]
    public async Task AzuriteRestarted_WhileIdle_TheNextRequestIsAnswered()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Azurite is looked up in /proc.");
        HttpClient client = local.Client;
        string before = await client.ChatAsync();
        using Process azurite = Process.GetProcessById(LinuxProcesses.ChildrenOf(local.System.Pid).Single(pid => LinuxProcesses.CommandLineOf(pid).Contains("azurite", StringComparison.Ordinal)));

        LocalSystem.Terminate(azurite.Id);
        await azurite.WaitForExitAsync(Cancellation);

        (await client.ChatAsync()).ShouldBe(before);
        // And what cannot do without storage, when it is back: a listing that is fresh.
        while (!await IsReadyAsync(client))
        {
            // Each look waits for storage's answer, two seconds at most.
        }
        using HttpResponseMessage tags = await client.GetAsync("/api/tags", Cancellation);
        (await tags.JsonAsync()).GetProperty("models").GetArrayLength().ShouldBe(2);
        (await client.WorkersAsync()).GetArrayLength().ShouldBe(1);
    }

    [Fact]
    public async Task Restart_OnTheSameData_HasTheSameModelsAndWorker()
    {
        using TempFolder folder = new();
        LocalSystemOptions options = new() { Data = folder.File("data") };
        (JsonElement Models, string? Worker) first = await RunAsync(options with { Model = LocalSystemFixture.WriteEndless(folder) });

        (JsonElement Models, string? Worker) second = await RunAsync(options);

        second.Models.ToString().ShouldBe(first.Models.ToString());
        second.Models.GetArrayLength().ShouldBe(2);
        second.Worker.ShouldNotBeNull().ShouldBe(first.Worker);
    }

    private static async Task<bool> IsReadyAsync(HttpClient client)
    {
        using HttpResponseMessage ready = await client.GetAsync("/readyz", Cancellation);
        return ready.IsSuccessStatusCode;
    }

    private static async Task<(JsonElement Models, string? Worker)> RunAsync(LocalSystemOptions options)
    {
        await using LocalSystem system = await LocalSystem.StartAsync(options, Cancellation);
        using HttpClient client = system.Client();
        (await client.ChatAsync()).ShouldContain("OllamaMax");
        using HttpResponseMessage tags = await client.GetAsync("/api/tags", Cancellation);
        JsonElement models = (await tags.JsonAsync()).GetProperty("models");
        JsonElement worker = (await client.WorkersAsync()).EnumerateArray().ShouldHaveSingleItem();
        return (models, worker.GetProperty("id").GetString());
    }
}
