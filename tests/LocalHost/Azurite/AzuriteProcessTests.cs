using System.Collections.Concurrent;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Queues;
using OllamaMax.LocalHost.Azurite;
using OllamaMax.TestKit;

namespace OllamaMax.LocalHost.Tests.Azurite;

public sealed class AzuriteProcessTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task StartAsync_InMemory_ServesBlobsAndQueues()
    {
        await using AzuriteProcess azurite = await AzuriteFixture.StartAsync(location: null, Cancellation);

        await new BlobContainerClient(azurite.ConnectionString, "models").CreateAsync(cancellationToken: Cancellation);
        await new QueueClient(azurite.ConnectionString, "jobs").CreateAsync(cancellationToken: Cancellation);
    }

    [Fact]
    public async Task StartAsync_DebugLog_HasALinePerRequest()
    {
        string log = _folder.File("debug.log");
        // It writes the log beside its answers: all of it is there when it has ended.
        await using (AzuriteProcess azurite = await AzuriteFixture.StartAsync(location: null, Cancellation, debugLog: log))
            await new BlobContainerClient(azurite.ConnectionString, "models").CreateAsync(cancellationToken: Cancellation);

        File.ReadLines(log).Count(line => line.Contains("RequestMethod=", StringComparison.Ordinal)).ShouldBe(1);
    }

    [Fact]
    public async Task Killed_WithDataOnDisk_ComesBackOnTheSamePortsWithIt()
    {
        await using AzuriteProcess azurite = await AzuriteFixture.StartAsync(_folder.File("data"), Cancellation);
        BlobContainerClient container = new(azurite.ConnectionString, "kept");
        await container.CreateAsync(cancellationToken: Cancellation);
        await SavedAsync("kept");

        LocalSystem.Kill(azurite.Pid.ShouldNotBeNull());

        // The client's own retries bridge the restart.
        (await container.ExistsAsync(Cancellation)).Value.ShouldBeTrue();
    }

    [Fact]
    public async Task DisposeAsync_WhileWritten_KeepsAllThatItAnsweredFor()
    {
        ConcurrentBag<string> answered = [];
        TaskCompletionSource isUnderWay = new();
        AzuriteProcess azurite = await AzuriteFixture.StartAsync(_folder.File("data"), Cancellation);
        BlobContainerClient container = new(azurite.ConnectionString, "kept", new() { Retry = { MaxRetries = 0 } });
        await container.CreateAsync(cancellationToken: Cancellation);
        Task[] writers = [.. Enumerable.Range(0, 8).Select(writer => WriteAsync(container, writer, answered, isUnderWay))];
        await isUnderWay.Task.WaitAsync(Cancellation);

        await azurite.DisposeAsync();
        await Task.WhenAll(writers);

        await using AzuriteProcess again = await AzuriteFixture.StartAsync(_folder.File("data"), Cancellation, azurite.Endpoints);
        List<string> kept = [];
        await foreach (BlobItem blob in container.GetBlobsAsync(cancellationToken: Cancellation))
            kept.Add(blob.Name);
        answered.Except(kept).ShouldBeEmpty();
    }

    [Fact]
    public async Task StartAsync_BusyPort_NamesIt()
    {
        await using AzuriteProcess first = await AzuriteFixture.StartAsync(location: null, Cancellation);
        OllamaMax.Inference.Packages.NodeRuntime node = await OllamaMax.Inference.Packages.NodeRuntime.FindAsync(Cancellation);
        AzuriteOptions same = new()
        {
            Node = node.Path,
            RepositoryRoot = OllamaMax.Inference.Packages.RepositoryRoot.Find(),
            QueuePort = first.Endpoints.QueuePort,
        };

        StartException failure = await Should.ThrowAsync<StartException>(() => AzuriteProcess.StartAsync(
            same, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance, TimeProvider.System, Cancellation));

        failure.Message.ShouldContain($"port {first.Endpoints.QueuePort} is busy");
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>Writes one blob after the other until nobody answers.</summary>
    /// <param name="isUnderWay">Set when it has written some.</param>
    private static async Task WriteAsync(BlobContainerClient container, int writer, ConcurrentBag<string> answered, TaskCompletionSource isUnderWay)
    {
        try
        {
            for (int i = 0; ; i++)
            {
                string name = $"{writer}-{i}";
                await container.UploadBlobAsync(name, BinaryData.FromString(name), Cancellation);
                answered.Add(name);
                if (i == 20)
                    isUnderWay.TrySetResult();
            }
        }
        catch (RequestFailedException)
        {
            // It has ended.
        }
    }

    /// <summary>Azurite writes its tables every few seconds; a kill before that loses what was new.</summary>
    private async Task SavedAsync(string text)
    {
        string folder = _folder.File("data");
        TaskCompletionSource saved = new();
        using FileSystemWatcher watcher = new(folder) { EnableRaisingEvents = true };
        watcher.Changed += Check;
        watcher.Created += Check;
        watcher.Renamed += Check;
        Check(this, new(WatcherChangeTypes.All, folder, null));
        await saved.Task.WaitAsync(Cancellation);

        void Check(object sender, FileSystemEventArgs e)
        {
            if (Directory.GetFiles(folder, "__azurite_db_blob__.json").Any(file => File.ReadAllText(file).Contains(text, StringComparison.Ordinal)))
                saved.TrySetResult();
        }
    }
}
