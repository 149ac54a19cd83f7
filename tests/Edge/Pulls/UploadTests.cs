using System.Net;
using System.Text.Json;
using Azure.Core;
using Azure.Storage.Blobs;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Models;
using OllamaMax.Storage.Models;
using OllamaMax.TestKit;

namespace OllamaMax.Edge.Tests.Pulls;

public sealed class UploadTests(AzuriteFixture azurite)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Upload_RightContent_IsVisibleAndComplete()
    {
        await using PullServer server = await PullServer.StartAsync(azurite);
        byte[] content = PullServer.UniqueModel();
        string digest = ModelDigest.Of(content);

        await PutAsync(server, digest, content);
        long? before = await server.Blobs.FindAsync(digest, Cancel);
        string[] lines = await CompleteAsync(server, digest);

        before.ShouldBeNull();
        lines.ShouldBe(["""{"status":"verifying sha256 digest"}""", """{"status":"success"}"""]);
        (await server.Blobs.FindAsync(digest, Cancel)).ShouldBe(content.Length);
        (await BeginAsync(server, digest)).GetProperty("complete").GetBoolean().ShouldBeTrue();
        (await CompleteAsync(server, digest))[^1].ShouldBe("""{"status":"success"}""");
    }

    [Fact]
    public async Task Upload_OtherContent_SaysSoAndIsGone()
    {
        await using PullServer server = await PullServer.StartAsync(azurite);
        byte[] content = PullServer.UniqueModel();
        string digest = ModelDigest.Of(PullServer.UniqueModel());

        await PutAsync(server, digest, content);
        string[] lines = await CompleteAsync(server, digest);
        using HttpResponseMessage again = await server.Edge.PostAsync($"/models/uploads/{digest}/complete", "");

        lines[^1].ShouldBe($$"""{"error":"digest mismatch, expected \"{{digest}}\", got \"{{ModelDigest.Of(content)}}\""}""");
        (await server.Blobs.FindAsync(digest, Cancel)).ShouldBeNull();
        (await again.ErrorAsync(HttpStatusCode.NotFound)).ShouldBe($"nothing was uploaded for {digest}: ask POST /models/uploads where to");
    }

    [Fact]
    public async Task Complete_TheServersLimitIsReached_SaysSoAndTheNextGoesOn()
    {
        using CancellationTokenSource limit = new();
        HeldReads held = new("/uploads/");
        BlobClientOptions options = new();
        options.AddPolicy(held, HttpPipelinePosition.PerCall);
        await using PullServer server = await PullServer.StartAsync(azurite, storage: new(azurite.ConnectionString, options), limit: limit.Token);
        byte[] content = [.. PullServer.UniqueModel(), .. PullServer.UniqueModel(), .. PullServer.UniqueModel()];
        string digest = ModelDigest.Of(content);
        await PutAsync(server, digest, content);

        held.Allow(2);
        Task<string[]> first = CompleteAsync(server, digest);
        await held.Holding.WaitAsync(Cancel);
        await limit.CancelAsync();
        string[] lines = await first;
        held.Allow(int.MaxValue);
        string? other = await server.Edge.Services.GetRequiredService<UploadedBlobs>().CompleteAsync(digest, Cancel);

        lines[^1].ShouldBe("""{"status":"unfinished"}""");
        other.ShouldBeNull();
        (await server.Blobs.FindAsync(digest, Cancel)).ShouldBe(content.Length);
        held.Passed.ShouldBe(content.Chunk(4 << 20).Count());
    }

    [Theory]
    [InlineData("""{"digest":"sha256:12","size":1}""", "digest must be a digest: sha256: and 64 lower-case hex digits")]
    [InlineData("""{"digest":"sha256:0000000000000000000000000000000000000000000000000000000000000000"}""", "size is required: the bytes that will be uploaded")]
    public async Task Upload_BadFields_AreNamed(string body, string message)
    {
        await using PullServer server = await PullServer.StartAsync(azurite);

        using HttpResponseMessage response = await server.Edge.PostAsync("/models/uploads", body);

        (await response.ErrorAsync(HttpStatusCode.BadRequest)).ShouldBe(message);
    }

    private static async Task<JsonElement> BeginAsync(PullServer server, string digest)
    {
        using HttpResponseMessage response = await server.Edge.PostAsync("/models/uploads", $$"""{"digest":"{{digest}}","size":1000}""");
        using JsonDocument json = JsonDocument.Parse(await response.TextAsync());
        return json.RootElement.Clone();
    }

    /// <summary>As any client would, by the address alone.</summary>
    private static async Task PutAsync(PullServer server, string digest, byte[] content)
    {
        // A signature ends by storage's clock.
        server.Edge.Time.SetUtcNow(TimeProvider.System.GetUtcNow());
        string url = (await BeginAsync(server, digest)).GetProperty("url").GetString()!;
        using HttpRequestMessage put = new(HttpMethod.Put, url) { Content = new ByteArrayContent(content) };
        put.Headers.Add("x-ms-blob-type", "BlockBlob");
        using HttpClient http = new();
        using HttpResponseMessage stored = await http.SendAsync(put, Cancel);
        stored.StatusCode.ShouldBe(HttpStatusCode.Created);
    }

    private static async Task<string[]> CompleteAsync(PullServer server, string digest)
    {
        using HttpResponseMessage response = await server.Edge.PostAsync($"/models/uploads/{digest}/complete", "");
        return await response.LinesAsync();
    }
}
