using Azure.Storage.Blobs.Models;
using Microsoft.Extensions.Logging.Abstractions;
using OllamaMax.Cluster;
using OllamaMax.Storage.Workers;
using OllamaMax.TestKit;

namespace OllamaMax.Storage.Tests.Workers;

public sealed class HeartbeatsTests(AzuriteFixture azurite)
{
    private readonly StorageAccount _account = new(azurite.ConnectionString);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Each alone would otherwise end the listing for everybody, or keep a dead worker alive for ever.</summary>
    [Theory]
    [InlineData("\"interval_seconds\":1e300,\"slots_total\":2000000000,\"models\":[],\"devices\":[]", $"{WorkerFlags.Interval} {WorkerFlags.Slots}")]
    [InlineData("\"interval_seconds\":10,\"slots_total\":4,\"models\":null,\"devices\":[null]", WorkerFlags.Shape)]
    [InlineData("\"interval_seconds\":10,\"slots_total\":4,\"models\":[],\"devices\":[],\"tokens_per_second\":1e12", WorkerFlags.Speed)]
    public async Task List_WorkerThatLies_IsBelievedWithinBoundsAndFlagged(string figures, string flags)
    {
        string id = await WriteAsync(figures, $"liar-{Guid.NewGuid():n}");

        WorkerView view = (await ListAsync()).Single(view => view.Report.Id == id);

        view.Flags.ShouldBe(flags.Split(' '));
        view.State.ShouldBe(WorkerState.Alive);
        view.Report.SlotsTotal.ShouldBeLessThanOrEqualTo(ReportBounds.MostSlots);
        view.Report.Models.ShouldBeEmpty();
        view.HeartbeatAt.ShouldBeGreaterThan(DateTimeOffset.UnixEpoch);
    }

    [Fact]
    public async Task List_TwoOfOneName_BothAreFlagged()
    {
        const string Honest = "\"interval_seconds\":10,\"slots_total\":4,\"models\":[],\"devices\":[]";
        string name = $"twin-{Guid.NewGuid():n}";
        string[] ids = [await WriteAsync(Honest, name), await WriteAsync(Honest, name)];

        WorkerView[] twins = [.. (await ListAsync()).Where(view => ids.Contains(view.Report.Id))];

        twins.Length.ShouldBe(2);
        twins.ShouldAllBe(view => view.Flags.Single() == WorkerFlags.Name);
    }

    private Task<IReadOnlyList<WorkerView>> ListAsync() => new Heartbeats(_account, NullLogger<Heartbeats>.Instance).ListAsync(Cancellation);

    /// <summary>As a worker could write it whose program is not ours.</summary>
    private async Task<string> WriteAsync(string figures, string name)
    {
        await _account.CreateContainersAsync(Cancellation);
        string id = Guid.NewGuid().ToString("n");
        string report = $$"""{"version":1,"id":"{{id}}","name":"{{name}}","host":"box","pid":1,"program":"1.0","draining":false,"slots_used":0,{{figures}}}""";
        await _account.Blobs.GetBlobContainerClient(Containers.Cluster).GetBlobClient(Heartbeats.Prefix + id).UploadAsync(
            new BinaryData(""), new BlobUploadOptions { Metadata = new Dictionary<string, string> { [Heartbeats.ReportKey] = report } }, Cancellation);
        return id;
    }
}
