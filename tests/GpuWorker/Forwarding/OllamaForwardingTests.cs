using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using OllamaMax.GpuWorker.Forwarding;
using OllamaMax.Jobs;

namespace OllamaMax.GpuWorker.Tests.Forwarding;

/// <summary>The engine that forwards, against a server with Ollama's API.</summary>
public sealed class OllamaForwardingTests : IAsyncLifetime
{
    private OllamaServer _server = null!;
    private ForwardedServers _servers = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await OllamaServer.StartAsync();
        WorkerOptions options = new()
        {
            Edge = new Uri("http://127.0.0.1:1/"),
            Data = ".",
            Name = "test",
            Forward = [ForwardTarget.Parse($"ollama={_server.Url}")],
        };
        _servers = new ForwardedServers(Microsoft.Extensions.Options.Options.Create(options), TimeProvider.System, NullLogger<ForwardedServer>.Instance);
    }

    public async ValueTask DisposeAsync()
    {
        await _servers.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Theory]
    [InlineData(300, 100, 300)]
    [InlineData(-1, null, -1)]
    [InlineData(null, null, null)]
    public async Task EmbedAsync_KeepAliveAndContext_ReachTheServer(int? keepAlive, int? context, int? told)
    {
        await _servers.StartAsync(Cancellation);
        EmbedRequest request = new() { Inputs = ["abc"], Context = context, KeepAlive = keepAlive is { } seconds ? TimeSpan.FromSeconds(seconds) : null };

        AttemptEnd end = await _servers.Use(_servers.Digests[0]).ShouldNotBeNull().Engine.EmbedAsync(request, new VectorsSink(), Cancellation);

        end.Reason.ShouldBe(EndReason.Stop);
        JsonElement body = _server.Requests.ShouldHaveSingleItem();
        (body.TryGetProperty("keep_alive", out JsonElement stays) ? stays.GetInt32() : (int?)null).ShouldBe(told);
        (body.TryGetProperty("options", out JsonElement options) ? options.GetProperty("num_ctx").GetInt32() : (int?)null).ShouldBe(context);
    }
}
