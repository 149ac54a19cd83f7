using System.Net;
using System.Text.Json;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.TestKit;

namespace OllamaMax.Edge.Tests.Http;

[Collection(nameof(RunsAlone))]
public sealed class MalformedRequestTests
{
    private const int Requests = 500;
    private const int Large = 50_000_000;

    private static readonly string[] Paths =
    [
        "/api/chat", "/api/generate", "/api/show", "/v1/chat/completions", "/v1/responses", "/v1/completions", "/v1/embeddings", "/v1/messages", "/v1/messages/count_tokens",
    ];

    [Fact]
    public async Task Malformed_ManyRequests_EachGetsAClientErrorInShapeAndMemoryReturns()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        Random chance = new(20260102);
        byte[] large = new byte[Large];
        await PostAsync(edge, chance, 0, large);
        long before = GC.GetTotalMemory(forceFullCollection: true);

        for (int i = 0; i < Requests; i++)
            await PostAsync(edge, chance, i, large);

        (GC.GetTotalMemory(forceFullCollection: true) - before).ShouldBeLessThan(100_000_000);
        edge.Jobs.Count.ShouldBe(0);
        edge.Logs.Lines.ShouldNotContain(line => line.StartsWith("Error", StringComparison.Ordinal));
        using HttpResponseMessage alive = await edge.SendAsync(HttpMethod.Get, "/api/version");
        alive.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    private static async Task PostAsync(EdgeServer edge, Random chance, int number, byte[] large)
    {
        using HttpContent content = number % 50 == 49 ? new ByteArrayContent(large) : new ByteArrayContent(MalformedBodies.Next(chance));
        using HttpRequestMessage request = new(HttpMethod.Post, Paths[number % Paths.Length]) { Content = content };
        request.Headers.TransferEncodingChunked = chance.Next(2) == 0;
        using HttpResponseMessage response = await edge.Client.SendAsync(request, TestContext.Current.CancellationToken);

        string text = await response.TextAsync();
        ((int)response.StatusCode).ShouldBeInRange(400, 499, $"request {number}: {text}");
        using JsonDocument json = JsonDocument.Parse(text);
        JsonElement error = json.RootElement.GetProperty("error");
        bool isPlain = Paths[number % Paths.Length].StartsWith("/api", StringComparison.Ordinal);
        (isPlain ? error : error.GetProperty("message")).GetString().ShouldNotBeNullOrEmpty();
    }
}
