using System.Text.Json;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Microsoft.Extensions.Logging.Abstractions;
using OllamaMax.Cluster;
using OllamaMax.Models;
using OllamaMax.Replication;
using OllamaMax.Storage.Workers;
using OllamaMax.TestKit;
using OllamaMax.Workers;

namespace OllamaMax.Storage.Tests.Workers;

/// <summary>Heartbeats of workers with many models, through a real storage.</summary>
public sealed class HeartbeatDocumentTests(AzuriteFixture azurite)
{
    private const int Copies = 600;

    private readonly StorageAccount _account = new(azurite.NewAccount());

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task List_HundredsOfCopies_AllAreThereWithWhatIsSaidOfThem()
    {
        HeldModel[] models = [.. Enumerable.Range(0, Copies).Select(Copy), Loaded(Copies, seconds: 5)];
        await WriteAsync(HeartbeatDocument.Of(Report(models), []));

        WorkerView view = await ListAsync();

        view.Report.Models.OrderBy(model => model.Digest).ShouldBe(models.OrderBy(model => model.Digest));
        view.Flags.ShouldBeEmpty();
    }

    /// <summary>Its copies count for a while: they may only have been started anew with it.</summary>
    [Fact]
    public async Task List_WorkerWithHundredsHasLeft_ItsCopiesAreKnown()
    {
        await WriteAsync(HeartbeatDocument.Of(Report([.. Enumerable.Range(0, Copies).Select(Copy)]) with { Left = true }, []));

        WorkerView view = await ListAsync();

        view.State.ShouldBe(WorkerState.Gone);
        view.Report.Models.Count.ShouldBe(Copies);
    }

    [Fact]
    public async Task List_ContentCannotBeRead_WhatTheMetadataSayIsKnown()
    {
        HeartbeatDocument document = HeartbeatDocument.Of(Report([.. Enumerable.Range(0, Copies).Select(Copy)]), []);
        await WriteAsync(document with { Content = [.. "{\"models\":"u8] });

        (await ListAsync()).Report.Models.Count.ShouldBeInRange(30, Copies - 1);
    }

    [Fact]
    public void Of_FewCopies_NeedsNoContent() =>
        HeartbeatDocument.Of(Report([.. Enumerable.Range(0, 30).Select(Copy)]), []).Content.ShouldBeEmpty();

    /// <summary>Or each edge would read it with each listing.</summary>
    [Fact]
    public void Of_ModelsComeIntoMemoryAndFiguresChange_TheContentIsTheSame()
    {
        HeldModel[] models = [.. Enumerable.Range(0, Copies).Select(Copy)];
        WorkerReport report = Report(models);

        byte[] content = HeartbeatDocument.Of(report, []).Content;

        content.ShouldNotBeEmpty();
        HeartbeatDocument.Of(report with { SlotsUsed = 4, DiskRoom = 123_456_789_012, Models = [Loaded(0, seconds: 1), .. models[1..]] }, []).Content.ShouldBe(content);
        HeartbeatDocument.Of(report with { Models = [models[0] with { Pinned = true }, .. models[1..]] }, []).Content.ShouldNotBe(content);
    }

    /// <summary>That is all that an edge of an older version knows.</summary>
    [Fact]
    public void Of_HundredsOfCopies_MetadataHaveThoseInMemoryAndThosePinnedFirst()
    {
        HeldModel[] models = [.. Enumerable.Range(0, Copies).Select(Copy), Loaded(Copies, seconds: 5)];

        HeartbeatDocument document = HeartbeatDocument.Of(Report(models), []);

        document.Report.Length.ShouldBeInRange(7500, 7900);
        JsonElement[] told = [.. JsonElement.Parse(document.Report).GetProperty("models").EnumerateArray()];
        told[0].GetProperty("digest").GetString().ShouldBe(DigestOf(Copies));
        told[1..(1 + (Copies / 100))].ShouldAllBe(model => model.GetProperty("pinned").GetBoolean());
    }

    /// <summary>More are in memory than the metadata have room for: these are told with their figures all the same.</summary>
    [Fact]
    public async Task List_DozensInMemory_AllAreLoaded()
    {
        HeldModel[] models = [.. Enumerable.Range(0, 80).Select(index => Loaded(index, seconds: index))];
        await WriteAsync(HeartbeatDocument.Of(Report(models), []));

        (await ListAsync()).Report.Models.OrderBy(model => model.Digest).ShouldBe(models.OrderBy(model => model.Digest));
    }

    /// <summary>All is told however much there is. Azure refuses metadata of more than 8 KB; Azurite takes them up to its headers' bound, so the length is looked at here.</summary>
    [Theory]
    [InlineData(1, 0)]
    [InlineData(20, 0)]
    [InlineData(20, 6)]
    [InlineData(64, 600)]
    public async Task List_LongestNamesManyDevicesTransfersAndModels_AllAreTold(int transfers, int models)
    {
        WorkerReport report = Longest(transfers, models, devices: 8);
        HeartbeatDocument document = HeartbeatDocument.Of(report, []);
        await WriteAsync(document);

        WorkerView view = await ListAsync();

        document.Report.Length.ShouldBeLessThanOrEqualTo(7900);
        document.DevicesLeftOut.ShouldBe(0);
        view.Flags.ShouldBeEmpty();
        view.Report.Labels!.Count.ShouldBe(WorkerLabels.Most);
        view.Report.Devices.ShouldBe(report.Devices);
        view.Report.Models.OrderBy(model => model.Digest).ShouldBe(report.Models.OrderBy(model => model.Digest));
        view.Report.Transfers!.Select(Kind).Order().ShouldBe(report.Transfers!.Select(Kind).Order());
        view.Report.Transfers![0].Completed.ShouldBe(1L << 40);

        static string Kind(ReplicaTransfer transfer) => $"{transfer.Digest} {transfer.Error} {transfer.Cancelled}";
    }

    /// <summary>Or each edge would read it every two seconds.</summary>
    [Fact]
    public void Of_TransfersThatTheMetadataHaveNoRoomForGoOn_TheContentIsTheSame()
    {
        WorkerReport report = Longest(transfers: 64, models: 0, devices: 8);

        HeartbeatDocument document = HeartbeatDocument.Of(report, []);

        document.Content.ShouldNotBeEmpty();
        HeartbeatDocument.Of(report with { Transfers = [.. report.Transfers!.Select(transfer => transfer with { Completed = 2L << 40 })] }, []).Content.ShouldBe(document.Content);
    }

    [Fact]
    public async Task Of_MoreDevicesThanThereIsRoomFor_SaysHowManyAreLeftOut()
    {
        HeartbeatDocument document = HeartbeatDocument.Of(Longest(transfers: 20, models: 6, devices: 200), []);
        await WriteAsync(document);

        WorkerReport read = (await ListAsync()).Report;

        document.Report.Length.ShouldBeLessThanOrEqualTo(7900);
        read.Devices.Count.ShouldBeInRange(8, 199);
        document.DevicesLeftOut.ShouldBe(200 - read.Devices.Count);
        (read.Models.Count, read.Transfers!.Count).ShouldBe((6, 20));
    }

    /// <summary>Of a worker with the longest names and labels that it may have; in JSON each of their characters takes six.</summary>
    private static WorkerReport Longest(int transfers, int models, int devices) => Report([.. Enumerable.Range(0, models).Select(index => index < 6 ? Loaded(index, seconds: 5) : Copy(index))]) with
    {
        Name = new('é', 100),
        Host = new('h', 64),
        Site = new('é', WorkerLabels.Longest),
        Labels = Enumerable.Range(0, WorkerLabels.Most).ToDictionary(index => $"{index:00}".PadRight(WorkerLabels.Longest, 'k'), _ => new string('v', WorkerLabels.Longest)),
        Devices = [.. Enumerable.Range(0, devices).Select(index => new WorkerDevice(index, "NVIDIA H100 80GB HBM3", "CUDA", 80L << 30, 70L << 30))],
        Transfers =
        [
            .. Enumerable.Range(0, transfers).Reverse().Select(index => new ReplicaTransfer(DigestOf(1_000_000 + index), 1L << 40, 1L << 41, 1L << 30)
            {
                Error = index == 0 ? null : index % 5 == 1 ? new string('\'', 160) : "cancelled",
                Cancelled = index == 0 || index % 5 == 1 ? null : true,
            }),
        ],
    };

    private static WorkerReport Report(IReadOnlyList<HeldModel> models) => WorkerReports.Idle() with { Models = models, DiskRoom = 1, DiskEvictable = 1 };

    private static HeldModel Copy(int index) => new(DigestOf(index), Loaded: false) { Pinned = index % 100 == 99 ? true : null };

    private static HeldModel Loaded(int index, double seconds) => new(DigestOf(index), Loaded: true, 4096, 1 << 30) { ExpiresIn = seconds, JobTokensPerSecond = 12.5 };

    private static string DigestOf(int index) => ModelDigest.Of(BitConverter.GetBytes(index));

    private async Task<WorkerView> ListAsync() => (await new Heartbeats(_account, NullLogger<Heartbeats>.Instance).ListAsync(Cancellation)).Single();

    private async Task WriteAsync(HeartbeatDocument document)
    {
        await _account.CreateContainersAsync(Cancellation);
        BlobClient blob = _account.Blobs.GetBlobContainerClient(Containers.Cluster).GetBlobClient(Heartbeats.Prefix + "w1");
        await blob.UploadAsync(
            new BinaryData(document.Content), new BlobUploadOptions { Metadata = new Dictionary<string, string> { [Heartbeats.ReportKey] = document.Report } }, Cancellation);
    }
}
