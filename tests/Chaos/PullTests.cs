using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;
using OllamaMax.Models;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Models;
using OllamaMax.TestKit.Split;

namespace OllamaMax.Chaos.Tests;

/// <summary>The edge that pulls a model is killed.</summary>
public sealed class PullTests
{
    private const int Size = 8 << 20;
    private const int SentFirst = 4 << 20;

    /// <summary>What is staged is written piece by piece; the last ones may have been on their way.</summary>
    private const int LostAtMost = 3 << 20;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Half a minute: so long nobody else may go on with what the killed one was writing.</summary>
    [Fact(Explicit = true)]
    [Trait("Category", "Slow")]
    public async Task EdgeKilled_MidPull_TheNextPullGoesOnWhereItWas()
    {
        using TempFolder folder = new();
        string model = folder.File("pulled.gguf");
        GgufGenerator.Write(model, new() { Name = "pulled" });
        byte[] content = [.. await File.ReadAllBytesAsync(model, Cancellation), .. RandomNumberGenerator.GetBytes(Size)];
        await using FileSource source = await FileSource.StartAsync(content, SentFirst, Cancellation);
        await using SplitSystem system = await SplitSystem.StartAsync(
            new() { Model = model, Workers = 0, Environment = new Dictionary<string, string?> { ["OllamaMax__Pull__Hosts__0"] = $"source={source.Server}" } }, Cancellation);
        Task<string> first = PullAsync(system, source);
        await ReachedAsync(system, SentFirst - LostAtMost);

        await system.KillEdgeAsync();
        await Should.ThrowAsync<Exception>(first);
        await system.StartEdgeAsync(Cancellation);

        (await PullAsync(system, source)).ShouldEndWith("""{"status":"success"}""" + "\n");
        JsonElement shown = await system.Client.GetFromJsonAsync<JsonElement>("/cluster/models/from-source/replicas", Cancellation);
        shown.GetProperty("digest").GetString().ShouldBe(ModelDigest.Of(content));
        source.Starts.Count.ShouldBe(2);
        source.Starts.Last().ShouldBeInRange(SentFirst - LostAtMost, SentFirst);
    }

    private static async Task<string> PullAsync(SplitSystem system, FileSource source)
    {
        using HttpResponseMessage response = await system.Client.PostAsJsonAsync("/api/pull", new { model = "from-source", from = source.File }, Cancellation);
        return await response.Content.ReadAsStringAsync(Cancellation);
    }

    private static async Task ReachedAsync(SplitSystem system, long bytes)
    {
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(50));
        JsonElement transfers;
        do
        {
            await timer.WaitForNextTickAsync(Cancellation);
            transfers = (await system.Client.GetFromJsonAsync<JsonElement>("/cluster/transfers", Cancellation)).GetProperty("transfers");
        }
        while (!transfers.EnumerateArray().Any(transfer => transfer.GetProperty("completed").GetInt64() >= bytes));
    }
}
