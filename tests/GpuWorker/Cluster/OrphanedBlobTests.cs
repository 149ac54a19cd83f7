using Azure.Storage.Blobs;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Cluster;
using OllamaMax.Edge.Cluster;
using OllamaMax.GpuWorker.Tests.Background;
using OllamaMax.Storage;

namespace OllamaMax.GpuWorker.Tests.Cluster;

/// <summary>What the leader of a running edge does to blobs that nobody needs. A storage of its own: of several clusters over one, any may lead.</summary>
public sealed class OrphanedBlobTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Upload_NobodyCompletesIt_IsMarkedAndAnotherWhoseWaitIsOverIsDeleted()
    {
        await using JobCluster cluster = await JobCluster.StartAsync(services: edge => edge.Configure<ClusterOptions>(options =>
        {
            options.Tick = TimeSpan.FromMilliseconds(200);
            options.OrphansEvery = TimeSpan.FromSeconds(1);
            options.UploadsKept = TimeSpan.Zero;
        }));
        BlobContainerClient models = cluster.EdgeServices.GetRequiredService<StorageAccount>().Blobs.GetBlobContainerClient(Containers.Models);
        BlobClient upload = models.GetBlobClient("uploads/abandoned"), download = models.GetBlobClient("partial/half");
        await download.UploadAsync(new BinaryData("half"), Cancellation);
        await upload.UploadAsync(new BinaryData("abandoned"), Cancellation);

        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(50));
        while (await upload.ExistsAsync(Cancellation))
            await timer.WaitForNextTickAsync(Cancellation);

        (await download.ExistsAsync(Cancellation)).Value.ShouldBeTrue();
        LeaderDocument<OrphanMarks> marks = await cluster.EdgeServices.GetRequiredService<ClusterDocuments>().Orphans.ReadAsync(Cancellation);
        marks.Content.Marks.Keys.ShouldContain("models/partial/half");
        marks.Epoch.ShouldBe(1);
    }
}
