using System.Text.Json;
using Azure.Storage.Blobs;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using OllamaMax.Edge.Dispatch;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Owning;
using OllamaMax.SignalR;
using OllamaMax.Streaming;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Cluster;

namespace OllamaMax.Edge.Tests.Dispatch;

public sealed class WorkerChannelTests(AzuriteFixture azurite)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(262_144, true)]
    [InlineData(1, false)]
    public async Task Grant_JobWithTools_SaysNothingToItsWorkerThatAnOlderOneWouldNotKnow(int maxInlineBytes, bool isInline)
    {
        await using TestCluster cluster = await TestCluster.StartAsync(
            azurite.NewAccount(), configure: services => services.Configure<DispatchOptions>(options => options.MaxInlineBytes = maxInlineBytes), cancellationToken: Cancellation);
        WorkerChannel channel = cluster.EdgeServices.GetRequiredService<WorkerChannel>();
        SignalRHub hub = cluster.EdgeServices.GetRequiredService<SignalRHub>();
        await using SignalRListener listener = new(
            _ => new(hub.Negotiate(Users.Worker("w"), TimeSpan.FromMinutes(5))), TimeProvider.System, new Random(1), NullLoggerFactory.Instance);
        TaskCompletionSource<GrantMessage> heard = new(TaskCreationOptions.RunContinuationsAsynchronously);
        listener.On(Targets.Grant, grant => heard.TrySetResult(grant.Deserialize(ProtocolJson.Default.GrantMessage)!));
        listener.Start();
        await listener.WaitUntilConnectedAsync(Cancellation);
        JobRun run = Run();

        // A client learns that it is connected a moment before messages reach it.
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(20));
        while (!heard.Task.IsCompleted)
        {
            await channel.GrantAsync(run, new Attempt(1, "w", "n"), [], TimeSpan.FromMinutes(1));
            await timer.WaitForNextTickAsync(Cancellation);
        }

        GrantMessage grant = await heard.Task;
        (grant.Job is not null).ShouldBe(isInline);
        Job job = grant.Job ?? await StoredAsync(grant.PayloadUrl.ShouldNotBeNull());
        (job.Prompt, job.Parsing).ShouldBe(("prompt", OutputParsing.None));
        run.Job.Parsing.ToolCalls.ShouldBe(ToolCallForm.Kimi);
    }

    private static JobRun Run()
    {
        Job job = new()
        {
            Id = JobId.New(TimeProvider.System),
            RequestId = "request",
            Tenant = "tenant",
            Model = "sha256:model",
            Prompt = "prompt",
            Options = new InferenceOptions(),
            Seed = 1,
            Parsing = new() { ToolCalls = ToolCallForm.Kimi },
            Deadline = TimeSpan.FromMinutes(1),
        };
        return new(new JobOwner(job, new OwnerOptions(), () => "n", TimeSpan.Zero), new JobOutputLog(), TimeSpan.Zero);
    }

    private static async Task<Job> StoredAsync(string url) =>
        (await new BlobClient(new(url)).DownloadContentAsync(Cancellation)).Value.Content.ToObjectFromJson(ProtocolJson.Default.Job).ShouldNotBeNull();
}
