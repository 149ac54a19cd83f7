using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Net.Http.Headers;
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
        await using Source source = await Source.StartAsync(content);
        await using SplitSystem system = await SplitSystem.StartAsync(
            new() { Model = model, Workers = 0, Environment = new Dictionary<string, string?> { ["OllamaMax__Pull__Hosts__0"] = $"source={source.Address}" } }, Cancellation);
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

    private static async Task<string> PullAsync(SplitSystem system, Source source)
    {
        using HttpResponseMessage response = await system.Client.PostAsJsonAsync("/api/pull", new { model = "from-source", from = $"{source.Address}model.gguf" }, Cancellation);
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

    /// <summary>A web server with one file, of which the first who asks gets a part and no end.</summary>
    private sealed class Source(WebApplication app) : IAsyncDisposable
    {
        public Uri Address => new(app.Urls.Single());

        /// <summary>From which byte each request wanted it.</summary>
        public ConcurrentQueue<long> Starts { get; } = [];

        public static async Task<Source> StartAsync(byte[] content)
        {
            WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.UseKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
            WebApplication app = builder.Build();
            Source source = new(app);
            EntityTagHeaderValue version = new("\"1\"");
            app.Run(async context =>
            {
                source.Starts.Enqueue(context.Request.GetTypedHeaders().Range?.Ranges.Single().From ?? 0);
                if (source.Starts.Count > 1)
                {
                    await Results.Bytes(content, enableRangeProcessing: true, entityTag: version).ExecuteAsync(context);
                    return;
                }
                context.Response.ContentLength = content.Length;
                context.Response.Headers.ETag = version.ToString();
                await context.Response.Body.WriteAsync(content.AsMemory(0, SentFirst));
                await context.Response.Body.FlushAsync();
                await new TaskCompletionSource().Task.WaitAsync(context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            });
            await app.StartAsync(Cancellation);
            return source;
        }

        public ValueTask DisposeAsync() => app.DisposeAsync();
    }
}
