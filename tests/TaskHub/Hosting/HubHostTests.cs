using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using OllamaMax.TaskHub.Hosting;
using OllamaMax.TaskHub.Instances;
using OllamaMax.TaskHub.Storage;
using OllamaMax.TaskHub.Tests.Support;
using OllamaMax.TestKit;

namespace OllamaMax.TaskHub.Tests.Hosting;

/// <summary>The hub over real storage.</summary>
public sealed class HubHostTests(AzuriteFixture azurite)
{
    private static readonly TimeSpan Often = TimeSpan.FromMilliseconds(50);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static TaskRegistry Known => new TaskRegistry()
        .Activity<int, int>("square", x => x * x)
        .Activity<string, string>("repeat", text => text + text)
        .Orchestrator<int, int>("fan", async (context, count) =>
            (await Task.WhenAll(Enumerable.Range(1, count).Select(i => context.CallActivityAsync<int>("square", i)))).Sum())
        .Orchestrator<int, int>("parent", async (context, count) =>
            await context.CallActivityAsync<int>("square", 2) + await context.CallSubOrchestratorAsync<int>("fan", count))
        .Orchestrator<string, string>("large", (context, text) => context.CallActivityAsync<string>("repeat", text))
        .Orchestrator<int, int>("waits", async (context, x) => x + await context.WaitForExternalEvent<int>("go"));

    [Fact]
    public async Task Orchestration_FromBeginToEnd_CanBeSeen()
    {
        BlobContainerClient container = await TestHub.NewContainerAsync(azurite.ConnectionString);
        await using TestHub hub = await TestHub.StartAsync(container, Known);

        string id = await hub.Client.ScheduleNewOrchestrationInstanceAsync("fan", 5, Cancellation);
        OrchestrationMetadata ended = await hub.Client.WaitForInstanceCompletionAsync(id, getInputsAndOutputs: true, Cancellation);

        ended.RuntimeStatus.ShouldBe(OrchestrationRuntimeStatus.Completed);
        ended.ReadInputAs<int>().ShouldBe(5);
        ended.ReadOutputAs<int>().ShouldBe(55);
        (await hub.Client.GetInstanceAsync("nobody", Cancellation)).ShouldBeNull();
    }

    [Fact]
    public async Task Crash_AtEveryRequest_LosesAndRepeatsNothingInHistory()
    {
        BlobContainerClient container = await TestHub.NewContainerAsync(azurite.ConnectionString);
        await using TestHub observer = TestHub.Idle(container, Known);
        int crashes = 0;
        // Six requests bring a host up: without them none gets to run anything.
        for (bool wasCut = true; wasCut; crashes++)
        {
            string id = await observer.Client.ScheduleNewOrchestrationInstanceAsync("parent", 3, Cancellation);
            var (doomed, cut) = await TestHub.StartDoomedAsync(azurite.ConnectionString, container, Known, requests: 6 + crashes);
            await using (doomed)
                wasCut = await Task.WhenAny(cut, EndAsync(observer, id)) == cut;
            await TestHub.BreakLeaseAsync(container);

            await using TestHub next = await TestHub.StartAsync(container, Known);
            OrchestrationMetadata ended = await next.Client.WaitForInstanceCompletionAsync(id, getInputsAndOutputs: true, Cancellation);

            ended.ReadOutputAs<int>().ShouldBe(4 + 1 + 4 + 9, $"after a crash at request {6 + crashes}");
            await CheckHistoryAsync(next, id);
            await CheckHistoryAsync(next, $"{id}:0:1");
        }
        crashes.ShouldBeGreaterThanOrEqualTo(8);
    }

    [Fact]
    public async Task Host_WhileAnotherOneHasTheLease_LeavesTheWorkToIt()
    {
        BlobContainerClient container = await TestHub.NewContainerAsync(azurite.ConnectionString);
        await using TestHub first = await TestHub.StartAsync(container, Known, Often);
        string id = await first.Client.ScheduleNewOrchestrationInstanceAsync("waits", 1, Cancellation);
        await first.Client.WaitForInstanceStartAsync(id, Cancellation);
        await using TestHub second = await TestHub.StartAsync(container, Known, Often);

        string other = await second.Client.ScheduleNewOrchestrationInstanceAsync("fan", 2, Cancellation);
        await second.Client.RaiseEventAsync(id, "go", 2, Cancellation);

        (await second.Client.WaitForInstanceCompletionAsync(id, true, Cancellation)).ReadOutputAs<int>().ShouldBe(3);
        (await second.Client.WaitForInstanceCompletionAsync(other, true, Cancellation)).ReadOutputAs<int>().ShouldBe(5);
        (await first.Host.Store.FindAsync(other, Cancellation))!.Record.Epoch.ShouldBe(1);
    }

    [Fact]
    public async Task Host_ThatHasBeenOvertaken_Stops()
    {
        BlobContainerClient container = await TestHub.NewContainerAsync(azurite.ConnectionString);
        await using TestHub old = await TestHub.StartAsync(container, Known);
        string id = await old.Client.ScheduleNewOrchestrationInstanceAsync("waits", 1, Cancellation);
        await old.Client.WaitForInstanceStartAsync(id, Cancellation);
        StoredInstance stored = (await old.Host.Store.FindAsync(id, Cancellation))!;
        StoredInstance later = (await old.Host.Store.ReplaceAsync(stored, stored.Record with { Epoch = 1000 }, Cancellation))!;

        // The old host does not run it: it answers as any process that has not got the lease.
        await old.Client.RaiseEventAsync(id, "go", 5, Cancellation);

        StoredInstance now = (await old.Host.Store.FindAsync(id, Cancellation))!;
        now.Record.Inbox.ShouldHaveSingleItem();
        now.Record.History.Count.ShouldBe(later.Record.History.Count);
    }

    [Fact]
    public async Task Payload_Above64KB_IsABlobAndGoesWithAPurge()
    {
        BlobContainerClient container = await TestHub.NewContainerAsync(azurite.ConnectionString);
        await using TestHub hub = await TestHub.StartAsync(container, Known);
        string text = new('x', 100_000);

        string id = await hub.Client.ScheduleNewOrchestrationInstanceAsync("large", text, Cancellation);
        OrchestrationMetadata ended = await hub.Client.WaitForInstanceCompletionAsync(id, getInputsAndOutputs: true, Cancellation);

        ended.ReadOutputAs<string>().ShouldBe(text + text);
        List<BlobItem> blobs = await BlobsAsync(container);
        blobs.Count(blob => blob.Name.StartsWith("payloads/", StringComparison.Ordinal)).ShouldBe(2);
        blobs.Single(blob => blob.Name == $"instances/{id}").Properties.ContentLength!.Value.ShouldBeLessThan(10_000);
        (await hub.Client.PurgeInstanceAsync(id, Cancellation)).PurgedInstanceCount.ShouldBe(1);
        (await BlobsAsync(container)).ShouldHaveSingleItem().Name.ShouldBe("host");
    }

    /// <summary>As a pull is, whose id says what is pulled, at the moment in which what became of the last one is cleared away.</summary>
    [Fact]
    public async Task Purge_BegunAnewMeanwhile_LeavesTheNewOne()
    {
        BlobContainerClient container = await TestHub.NewContainerAsync(azurite.ConnectionString);
        await using MeddlingRelay relay = new(azurite.Process.Endpoints.BlobPort);
        await using TestHub hub = TestHub.Idle(container, Known);
        await using TestHub sweeping = TestHub.Idle(new BlobServiceClient(relay.Through(azurite.ConnectionString)).GetBlobContainerClient(container.Name), Known);
        StartOrchestrationOptions same = new("same");
        await hub.Client.ScheduleNewOrchestrationInstanceAsync("fan", 1, same, Cancellation);
        await hub.Client.TerminateInstanceAsync("same", Cancellation);

        Task begun = relay.BeforeAsync(
            $"DELETE /{container.AccountName}/{container.Name}/instances/same", () => hub.Client.ScheduleNewOrchestrationInstanceAsync("fan", 2, same, Cancellation));
        PurgeResult purged = await sweeping.Client.PurgeInstanceAsync("same", Cancellation);

        await begun;
        purged.PurgedInstanceCount.ShouldBe(0);
        (await hub.Client.GetInstanceAsync("same", getInputsAndOutputs: true, Cancellation)).ShouldNotBeNull().ReadInputAs<int>().ShouldBe(2);
    }

    [Fact]
    public async Task Query_ByPages_FindsAllThatMatch()
    {
        BlobContainerClient container = await TestHub.NewContainerAsync(azurite.ConnectionString);
        await using TestHub hub = await TestHub.StartAsync(container, Known);
        for (int i = 0; i < 5; i++)
        {
            string id = await hub.Client.ScheduleNewOrchestrationInstanceAsync("fan", 1, new StartOrchestrationOptions($"a/{i}"), Cancellation);
            await hub.Client.WaitForInstanceCompletionAsync(id, Cancellation);
        }
        await hub.Client.ScheduleNewOrchestrationInstanceAsync("waits", 1, new StartOrchestrationOptions("b"), Cancellation);
        await hub.Client.WaitForInstanceStartAsync("b", Cancellation);

        List<int> pages = [];
        List<string> ids = [];
        await foreach (Page<OrchestrationMetadata> page in hub.Client.GetAllInstancesAsync(new(InstanceIdPrefix: "a/", PageSize: 2)).AsPages())
        {
            pages.Add(page.Values.Count);
            ids.AddRange(page.Values.Select(found => found.InstanceId));
        }
        List<OrchestrationMetadata> running = await hub.Client
            .GetAllInstancesAsync(new(Statuses: [OrchestrationRuntimeStatus.Running], FetchInputsAndOutputs: true)).ToListAsync(Cancellation);

        pages.ShouldBe([2, 2, 1]);
        ids.ShouldBe(["a/0", "a/1", "a/2", "a/3", "a/4"]);
        running.ShouldHaveSingleItem().ReadInputAs<int>().ShouldBe(1);
        (await hub.Client.PurgeInstanceAsync("b", Cancellation)).PurgedInstanceCount.ShouldBe(0);
        PurgeResult purged = await hub.Client.PurgeAllInstancesAsync(new(Statuses: [OrchestrationRuntimeStatus.Completed]), Cancellation);
        purged.PurgedInstanceCount.ShouldBe(5);
    }

    [Fact]
    public async Task Schedule_OfAnIdThatRuns_IsRefused()
    {
        BlobContainerClient container = await TestHub.NewContainerAsync(azurite.ConnectionString);
        await using TestHub hub = await TestHub.StartAsync(container, Known);
        StartOrchestrationOptions same = new("same");
        await hub.Client.ScheduleNewOrchestrationInstanceAsync("waits", 1, same, Cancellation);

        await Should.ThrowAsync<InvalidOperationException>(() => hub.Client.ScheduleNewOrchestrationInstanceAsync("waits", 1, same, Cancellation));

        await hub.Client.TerminateInstanceAsync("same", "enough", Cancellation);
        await hub.Client.ScheduleNewOrchestrationInstanceAsync("fan", 3, same, Cancellation);
        (await hub.Client.WaitForInstanceCompletionAsync("same", true, Cancellation)).ReadOutputAs<int>().ShouldBe(14);
    }

    private static Task<OrchestrationMetadata> EndAsync(TestHub observer, string id) => observer.Client.WaitForInstanceCompletionAsync(id, Cancellation);

    /// <summary>Whatever was run twice is in history once: each task that was decided on ends exactly once.</summary>
    private static async Task CheckHistoryAsync(TestHub hub, string id)
    {
        IReadOnlyList<HistoryEvent> history = (await hub.Host.Store.FindAsync(id, Cancellation))!.Record.History;
        int[] decided = [.. history.OfType<HistoryEvent.Decision>().Select(decision => decision.TaskId)];
        decided.ShouldBe(Enumerable.Range(0, decided.Length));
        history.OfType<HistoryEvent.TaskCompleted>().Select(completed => completed.TaskId).Order().ShouldBe(decided);
    }

    private static async Task<List<BlobItem>> BlobsAsync(BlobContainerClient container) =>
        await container.GetBlobsAsync(new GetBlobsOptions(), Cancellation).ToListAsync(Cancellation);
}
