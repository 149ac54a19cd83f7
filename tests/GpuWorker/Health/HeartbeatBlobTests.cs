using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using OllamaMax.GpuWorker.Enrolment;
using OllamaMax.GpuWorker.Health;
using OllamaMax.GpuWorker.Models;
using OllamaMax.GpuWorker.Tests.Background;
using OllamaMax.Storage.Workers;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Cluster;
using OllamaMax.Workers;

namespace OllamaMax.GpuWorker.Tests.Health;

/// <summary>Whose the heartbeat is. A storage of its own, whose list of workers nobody else writes.</summary>
public sealed class HeartbeatBlobTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Run_CopyOfTheBoxReports_EndsAndSaysWhereTheOtherIs()
    {
        await using JobCluster cluster = await JobCluster.StartAsync();
        TestWorker worker = await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1));
        using TempFolder copied = new();
        await using ServiceProvider copy = CopyOf(worker, copied);
        using CancellationTokenSource drain = new();
        Task running = await RunUntilReportedAsync(copy, cluster, drain.Token);

        worker.Services.GetRequiredService<Heartbeat>().ReportSoon();

        string message = (await Should.ThrowAsync<IdentityTakenException>(() => worker.Running.WaitAsync(Cancellation))).Message;
        message.ShouldContain($"'copy' on {(await ReportAsync(cluster)).Host}, pid {Environment.ProcessId}");
        (await ReportAsync(cluster)).ShouldSatisfyAllConditions(report => report.Name.ShouldBe("copy"), report => report.Left.ShouldBeFalse());
        await drain.CancelAsync();
        await running;
        (await ReportAsync(cluster)).Left.ShouldBeTrue();
    }

    [Fact]
    public async Task Write_CopyOfTheBoxHasLeft_GoesOn()
    {
        await using JobCluster cluster = await JobCluster.StartAsync();
        TestWorker worker = await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1));
        using TempFolder copied = new();
        await using ServiceProvider copy = CopyOf(worker, copied);
        using CancellationTokenSource drain = new();
        Task running = await RunUntilReportedAsync(copy, cluster, drain.Token);
        await drain.CancelAsync();
        await running;
        (await ReportAsync(cluster)).Left.ShouldBeTrue();

        (await worker.Services.GetRequiredService<Heartbeat>().WriteAsync(Cancellation)).ShouldBeTrue();

        (await ReportAsync(cluster)).ShouldSatisfyAllConditions(report => report.Name.ShouldBe(worker.Name), report => report.Left.ShouldBeFalse());
        await worker.DrainAsync();
    }

    [Fact]
    public async Task Write_AnswerToTheLastOneWasLostOrItWasDeleted_IsWrittenAgain()
    {
        await using JobCluster cluster = await JobCluster.StartAsync();
        TestWorker worker = await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1));
        Heartbeat heartbeat = worker.Services.GetRequiredService<Heartbeat>();
        BlobClient blob = new(new Uri(worker.Services.GetRequiredService<Capabilities>().Current.HeartbeatUrl));
        BlobProperties written = await blob.GetPropertiesAsync(cancellationToken: Cancellation);

        await blob.UploadAsync(BinaryData.Empty, new BlobUploadOptions { Metadata = written.Metadata }, Cancellation);
        (await heartbeat.WriteAsync(Cancellation)).ShouldBeTrue();
        await cluster.DeleteHeartbeatAsync(worker.Services.GetRequiredService<Capabilities>().WorkerId);
        (await heartbeat.WriteAsync(Cancellation)).ShouldBeTrue();

        (await ReportAsync(cluster)).Name.ShouldBe(worker.Name);
        await worker.DrainAsync();
    }

    /// <returns>Its end.</returns>
    private static async Task<Task> RunUntilReportedAsync(ServiceProvider copy, JobCluster cluster, CancellationToken drain)
    {
        Task running = copy.RunWorkerAsync(drain);
        while ((await ReportAsync(cluster)).Name != "copy")
            await Task.Yield();
        return running;
    }

    private static async Task<WorkerReport> ReportAsync(JobCluster cluster) =>
        (await cluster.EdgeServices.GetRequiredService<Heartbeats>().ListAsync(Cancellation)).ShouldHaveSingleItem().Report;

    private static ServiceProvider CopyOf(TestWorker worker, TempFolder folder)
    {
        WorkerOptions options = worker.Services.GetRequiredService<IOptions<WorkerOptions>>().Value;
        foreach (string file in (string[])["worker.key", "worker.id"])
            File.Copy(Path.Combine(options.Data, file), folder.File(file));
        return new ServiceCollection()
            .AddLogging()
            .AddSingleton(worker.Services.GetRequiredService<IEngineLoader>())
            .AddWorker(options with { Data = folder.Path, Replicas = folder.File("replicas"), Name = "copy" })
            .BuildServiceProvider();
    }
}
