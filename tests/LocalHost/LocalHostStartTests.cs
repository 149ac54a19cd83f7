using System.Text.Json;
using Azure;
using Azure.Storage.Blobs;
using OllamaMax.LocalHost.Azurite;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Models;

namespace OllamaMax.LocalHost.Tests;

/// <summary>The real program in a process of its own: how it starts.</summary>
public sealed class LocalHostStartTests : IDisposable
{
    private static readonly LocalSystemOptions NoWorkers = new() { Workers = 0 };

    private readonly TempFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Start_PortZeroAndAliases_ListsThemOnARealPortToAKeyInThePathToo()
    {
        LocalSystemOptions options = NoWorkers with
        {
            MoreArguments = ["--alias", "gpt-4o-mini=demo", "--alias", "lost=nothing"],
            Environment = new Dictionary<string, string?> { ["OllamaMax__Aliases__claude"] = "lost, gpt-4o-mini" },
        };
        await using LocalSystem system = await LocalSystem.StartAsync(options, Cancellation);
        using HttpClient http = new();

        system.BaseAddress.Port.ShouldBePositive();
        JsonElement models = JsonElement.Parse(await http.GetStringAsync(new Uri(system.BaseAddress, "/k/omx_1_s3cret/v1/models"), Cancellation));
        models.GetProperty("data").EnumerateArray().Select(model => model.GetProperty("id").GetString())
            .ShouldBe(["demo:latest", "gpt-4o-mini", "claude"], ignoreOrder: true);
        system.Output.Lines.ShouldAllBe(line => !line.Contains("s3cret", StringComparison.Ordinal));
    }

    /// <summary>Where it is started may be a home with ten thousand folders, or the checkout with as many.</summary>
    [Fact]
    public async Task Start_InAFolder_DoesNotWatchIt()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "What a process watches stands in /proc.");
        await using LocalSystem system = await LocalSystem.StartAsync(NoWorkers, Cancellation);

        LinuxProcesses.WatchesOf(system.Pid).ShouldBe(0);
    }

    /// <summary>Tunnels from other boxes know them.</summary>
    [Fact]
    public async Task Start_Again_HasThePortsOfBefore()
    {
        LocalSystemOptions options = NoWorkers with { Data = _folder.Path, MoreArguments = ["--https"] };
        string[] before = await PortsAsync(options);

        string[] after = await PortsAsync(options);

        after.ShouldBe(before);
        before.Length.ShouldBe(3);
    }

    [Fact]
    public async Task Start_OverStorageOfBefore_KeepsItAndRefusesTheKeyThatEverybodyKnows()
    {
        const string Container = "of-before";
        await using (AzuriteProcess before = await AzuriteFixture.StartAsync(_folder.File("azurite"), Cancellation))
            await new BlobContainerClient(before.ConnectionString, Container).CreateAsync(cancellationToken: Cancellation);

        await using LocalSystem system = await LocalSystem.StartAsync(NoWorkers with { Data = _folder.Path }, Cancellation);

        int[] ports = [.. system.Output.Lines.Single(line => line.StartsWith("storage: Azurite on ports ", StringComparison.Ordinal))[26..].Split(", ").Select(int.Parse)];
        AzuriteEndpoints azurite = new(ports[0], ports[1], ports[2]);
        azurite.Key.ShouldBe(AzuriteEndpoints.WellKnownKey);
        (await Should.ThrowAsync<RequestFailedException>(() => ExistsAsync(azurite))).Status.ShouldBe(403);
        (await ExistsAsync(azurite with { Key = await File.ReadAllTextAsync(_folder.File("secrets/storage-key"), Cancellation) })).ShouldBeTrue();

        static async Task<bool> ExistsAsync(AzuriteEndpoints azurite) => await new BlobContainerClient(azurite.ConnectionString, Container).ExistsAsync(Cancellation);
    }

    /// <summary>The model that was published last cannot write, and is not what a first request wants.</summary>
    [Fact]
    public async Task Start_AgainOnTheSameDataAfterAnEmbeddingModel_IsReady()
    {
        GgufGenerator.Write(_folder.File("embedding.gguf"), new() { Architecture = GgufArchitecture.Bert, Vocabulary = GgufVocabularyKind.WordPiece, Pooling = 1 });
        LocalSystemOptions options = new() { Data = _folder.File("data") };

        await using (await LocalSystem.StartAsync(options with { Model = _folder.File("embedding.gguf") }, Cancellation))
        {
        }
        await using LocalSystem again = await LocalSystem.StartAsync(options, Cancellation);

        again.Output.Lines.ShouldContain($"data in {options.Data}");
        again.Output.Lines.ShouldAllBe(line => !line.Contains("cannot be run", StringComparison.Ordinal));
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>The lines that have them, once it is ready.</summary>
    private static async Task<string[]> PortsAsync(LocalSystemOptions options)
    {
        await using LocalSystem system = await LocalSystem.StartAsync(options, Cancellation);
        string join = await system.Output.WaitForAsync(line => line.Contains(" joins with: ssh ", StringComparison.Ordinal), Cancellation);
        return
        [
            system.Output.Lines.Single(line => line.StartsWith("storage: ", StringComparison.Ordinal)),
            system.Output.Lines.Single(line => line.StartsWith("signalr: ", StringComparison.Ordinal)),
            join.Split('@')[0],
        ];
    }
}
