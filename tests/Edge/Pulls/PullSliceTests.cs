using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Azure.Core;
using Azure.Storage.Blobs;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using OllamaMax.Edge.Pulls;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Inference.Packages;
using OllamaMax.Models;
using OllamaMax.Orchestrations.Pulls;
using OllamaMax.Storage.Models;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Models;

namespace OllamaMax.Edge.Tests.Pulls;

/// <summary>Slices of pulls that nobody has to follow: whatever one of them is cut off in, the next goes on with.</summary>
public sealed class PullSliceTests(AzuriteFixture azurite) : IDisposable
{
    private const int Most = 12;

    private static readonly TimeSpan Longest = new PullOptions().LongestSlice;

    private readonly TempFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Slice_TimeIsOverWhileBytesCome_SaysHowFarItIsAndTheNextGoesOn()
    {
        await using PullServer server = await PullServer.StartAsync(azurite);
        string name = PullServer.UniqueName();
        byte[] weights = PullServer.UniqueModel();
        server.Registry.Replace(name, weights);
        server.Registry.Faults.Enqueue((context, content) => PullTests.SendPartAsync(context, content, new TaskCompletionSource().Task));
        PullInput input = new(name, $"{server.Registry.ContentUrl}/content/{name}");

        Task<PullSlice> first = Run(server, input);
        await UntilAsync(server, progress => progress.Sum.Completed >= 1 << 20);
        server.Edge.Time.Advance(FetchSlice.Slice - TimeSpan.FromSeconds(1));
        PullSlice slice = await EndAsync(server, first);
        PullSlice second = await EndAsync(server, Run(server, input));

        slice.ShouldBe(new PullSlice(slice.Completed, weights.Length));
        slice.Completed.ShouldBeInRange(1 << 20, 2 << 20);
        second.ShouldBe(new PullSlice(weights.Length, weights.Length) { IsDone = true });
        PullTests.RangeStart(server.Registry.Ranges.Last()).ShouldBeInRange(1 << 20, 2 << 20);
    }

    [Fact]
    public async Task Slice_VerificationTakesLongerThanIt_IsGoneOnWithAndEnds()
    {
        HeldReads held = new("/partial/sha256-");
        await using PullServer server = await PullServer.StartAsync(azurite, storage: Storage(held));
        string name = PullServer.UniqueName();
        byte[] weights = [.. PullServer.UniqueModel(), .. RandomNumberGenerator.GetBytes(18 << 20)];
        server.Registry.AddModel($"library/{name}/latest", weights);

        int slices = await RunAllAsync(server, new PullInput(name, null), held);

        slices.ShouldBeGreaterThan(1);
        held.Passed.ShouldBe(weights.Chunk(4 << 20).Count(), "each piece is read once");
        (await server.Catalog.FindAsync(ModelName.Parse(name), Cancel))!.Weights.ShouldBe(ModelDigest.Of(weights));
        (await server.Storage.GetBlobClient($"partial/pass-{ModelDigest.FileName(ModelDigest.Of(weights))}").ExistsAsync(Cancel)).Value.ShouldBeFalse();
    }

    [Fact]
    public async Task Slice_PartsTakeLongerThanIt_AreReadTwiceAndEnd()
    {
        HeldReads held = new("/partial/url-");
        await using PullServer server = await PullServer.StartAsync(azurite, storage: Storage(held));
        string name = PullServer.UniqueName();
        GgufSpec spec = new() { Seed = 91, Width = 256, FeedForward = 1024, Layers = 6 };
        GgufGenerator.WriteSplit(_folder.Path, name, spec, 2);
        foreach (string part in Directory.GetFiles(_folder.Path))
            server.Registry.Replace(Path.GetFileName(part), await File.ReadAllBytesAsync(part, Cancel));

        int slices = await RunAllAsync(server, new PullInput(name, $"{server.Registry.ContentUrl}/content/{name}-00001-of-00002.gguf"), held);

        slices.ShouldBeGreaterThan(1);
        ModelView model = (await server.Catalog.FindAsync(ModelName.Parse(name), Cancel)).ShouldNotBeNull();
        model.WeightsSize.ShouldBeGreaterThan(3 * (4 << 20), "what is cut goes on between chunks");
        server.Registry.Ranges.Count(range => range.Length == 0).ShouldBe(2, "each part came once");
    }

    [Fact]
    public async Task Slice_SourceKnowsNoParts_LastsUntilAllHasCome()
    {
        await using PullServer server = await PullServer.StartAsync(azurite);
        string name = PullServer.UniqueName();
        byte[] weights = PullServer.UniqueModel();
        using SemaphoreSlim next = Slowly(server, name, weights);

        Task<PullSlice> slicing = Run(server, new PullInput(name, $"{server.Registry.ContentUrl}/content/{name}"));
        await PassAsync(server, next, times: 3);
        bool isOver = slicing.IsCompleted;
        next.Release(10);

        isOver.ShouldBeFalse();
        (await EndAsync(server, slicing)).IsDone.ShouldBeTrue();
        server.Registry.Ranges.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Slice_SourceKnowsNoPartsAndTakesTooLong_SaysSo()
    {
        await using PullServer server = await PullServer.StartAsync(azurite);
        server.Edge.Services.GetRequiredService<IOptions<PullOptions>>().Value.LongestSlice = TimeSpan.FromSeconds(90);
        string name = PullServer.UniqueName();
        using SemaphoreSlim next = Slowly(server, name, PullServer.UniqueModel());

        Task<PullSlice> slicing = Run(server, new PullInput(name, $"{server.Registry.ContentUrl}/content/{name}"));
        await PassAsync(server, next, times: 3);

        (await EndAsync(server, slicing)).Error.ShouldBe(
            "the source sends its file from the first byte only, or without a version, and 1.5 minutes, all that there is for it here, do not suffice: fetch it elsewhere, and push it (ollamamax models push)");
    }

    [Fact]
    public async Task Slice_AnotherVersionEachTime_EndsWithTheReason()
    {
        await using PullServer server = await PullServer.StartAsync(azurite);
        string name = PullServer.UniqueName();
        byte[] weights = PullServer.UniqueModel();
        server.Registry.Replace(name, weights);
        PullInput input = new(name, $"{server.Registry.ContentUrl}/content/{name}");

        server.Edge.Services.GetRequiredService<IOptions<PullOptions>>().Value.Silence = 2 * Longest;

        PullSlice slice = new(0, 0);
        for (int slices = 0; slices < Most && slice.Error is null; slices++)
        {
            server.Registry.Faults.Enqueue((context, content) => PullTests.SendPartAsync(context, PullServer.UniqueModel(), new TaskCompletionSource().Task));
            slice = await EndAsync(server, Run(server, input), () =>
            {
                if (server.Edge.Services.GetRequiredService<ActivePulls>().List() is [var running] && running.Progress.Sum.Completed >= 1 << 20)
                    server.Edge.Time.Advance(Longest);
            });
        }
        server.Registry.Faults.Clear();
        PullSlice again = await EndAsync(server, Run(server, input));
        while (again is { IsDone: false, Error: null })
            again = await EndAsync(server, Run(server, input));

        slice.Error.ShouldBe("127.0.0.1 had another version of its file 6 times before all of one had come: fetch it elsewhere, and push it (ollamamax models push)");
        again.ShouldBe(new PullSlice(weights.Length, weights.Length) { IsDone = true });
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Slice_CancelledAtAnotherEdge_WritesNoModel(bool isSeenBefore)
    {
        await using PullServer server = await PullServer.StartAsync(azurite);
        string name = PullServer.UniqueName();
        byte[] weights = PullServer.UniqueModel();
        using SemaphoreSlim next = Slowly(server, name, weights);
        PullInput input = new(name, $"{server.Registry.ContentUrl}/content/{name}") { Run = Guid.NewGuid().ToString("n") };

        Task<PullSlice> slicing = Run(server, input);
        await UntilAsync(server, progress => progress.IsFetching);
        bool isCancelled = await new PullEnds(new BlobServiceClient(azurite.ConnectionString)).TryCancelAsync(input.Run, Cancel);
        if (!isSeenBefore)
            next.Release(10);
        PullSlice slice = isSeenBefore ? await EndAsync(server, slicing) : await slicing.WaitAsync(Cancel);

        isCancelled.ShouldBeTrue();
        slice.ShouldSatisfyAllConditions(one => one.IsCancelled.ShouldBeTrue(), one => one.IsDone.ShouldBeFalse(), one => one.Error.ShouldBeNull());
        (await server.Catalog.FindAsync(ModelName.Parse(name), Cancel)).ShouldBeNull();
    }

    [Fact]
    public void LongestSlice_Default_IsWellBelowWhatAFunctionMayTake()
    {
        using JsonDocument host = JsonDocument.Parse(File.ReadAllText(Path.Combine(RepositoryRoot.Find(), "host.json")));

        TimeSpan.Parse(host.RootElement.GetProperty("functionTimeout").GetString()!, CultureInfo.InvariantCulture).ShouldBeGreaterThanOrEqualTo(Longest * 1.5);
    }

    private static Task<PullSlice> Run(PullServer server, PullInput input) => server.Edge.Services.GetRequiredService<FetchSlice>().RunAsync(null!, input);

    private BlobServiceClient Storage(HeldReads held)
    {
        BlobClientOptions options = new();
        options.AddPolicy(held, HttpPipelinePosition.PerCall);
        return new(azurite.ConnectionString, options);
    }

    /// <summary>Slices that are cut off as soon as they have read two pieces, until one ends it.</summary>
    private static async Task<int> RunAllAsync(PullServer server, PullInput input, HeldReads held)
    {
        for (int slices = 1; slices < Most; slices++)
        {
            held.Allow(2);
            PullSlice slice = await EndAsync(server, Run(server, input), () =>
            {
                if (held.IsHolding)
                    server.Edge.Time.Advance(Longest);
            });
            slice.Error.ShouldBeNull();
            if (slice.IsDone)
                return slices;
        }
        throw new InvalidOperationException("it does not end");
    }

    /// <summary>A source that knows neither parts nor versions, and sends a MiB each time it is let.</summary>
    private static SemaphoreSlim Slowly(PullServer server, string name, byte[] weights)
    {
        SemaphoreSlim next = new(1);
        server.Registry.Replace(name, weights);
        server.Registry.Faults.Enqueue(async (context, content) =>
        {
            context.Response.ContentLength = content.Length;
            foreach (byte[] piece in content.Chunk(1 << 20))
            {
                await next.WaitAsync(context.RequestAborted);
                await context.Response.Body.WriteAsync(piece);
                await context.Response.Body.FlushAsync();
            }
        });
        return next;
    }

    /// <summary>Less than the silence of a source that is borne, and then a MiB.</summary>
    private static async Task PassAsync(PullServer server, SemaphoreSlim next, int times)
    {
        for (int i = 1; i <= times; i++)
        {
            int come = i;
            await UntilAsync(server, progress => progress.Sum.Completed >= come << 20);
            server.Edge.Time.Advance(TimeSpan.FromSeconds(40));
            if (i < times)
                next.Release();
        }
    }

    private static async Task UntilAsync(PullServer server, Func<PullProgress, bool> isIt)
    {
        ActivePulls pulls = server.Edge.Services.GetRequiredService<ActivePulls>();
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(20));
        while (pulls.List() is not [var running] || !isIt(running.Progress))
            await timer.WaitForNextTickAsync(Cancel);
    }

    /// <summary>A slice looks again each few seconds, as does who waits for what another holds.</summary>
    private static async Task<PullSlice> EndAsync(PullServer server, Task<PullSlice> slicing, Action? meanwhile = null)
    {
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(20));
        while (!slicing.IsCompleted)
        {
            meanwhile?.Invoke();
            server.Edge.Time.Advance(TimeSpan.FromSeconds(1));
            await timer.WaitForNextTickAsync(Cancel);
        }
        return await slicing;
    }
}
