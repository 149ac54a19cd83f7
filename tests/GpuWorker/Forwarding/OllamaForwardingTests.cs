using System.Text.Json;
using Microsoft.Extensions.Logging;
using OllamaMax.GpuWorker.Forwarding;
using OllamaMax.GpuWorker.Tests.Models;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Forwarding;
using OllamaMax.TestKit;

namespace OllamaMax.GpuWorker.Tests.Forwarding;

/// <summary>The engine that forwards, against a server with Ollama's API.</summary>
public sealed class OllamaForwardingTests : IAsyncLifetime
{
    private readonly LineLog _log = new();
    private readonly LoggerFactory _loggers;
    private OllamaServer _server = null!;
    private ForwardedServers _servers = null!;

    public OllamaForwardingTests() => _loggers = new([new LineLogging(_log)]);

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
        _servers = new ForwardedServers(Microsoft.Extensions.Options.Options.Create(options), TimeProvider.System, _loggers.CreateLogger<ForwardedServer>());
    }

    public async ValueTask DisposeAsync()
    {
        await _servers.DisposeAsync();
        _loggers.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task StartAsync_AModelThatCannotBeShown_IsLeftOutAndToldOnce()
    {
        await _servers.StartAsync(Cancellation);
        await _servers.StartAsync(Cancellation);

        _servers.Models.ShouldHaveSingleItem().Name.ShouldBe(OllamaServer.Model);
        _log.Lines.Count(line => line.Contains(OllamaServer.Damaged, StringComparison.Ordinal)).ShouldBe(1);
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

    [Theory]
    [InlineData("completion,vision", true)]
    [InlineData("completion", false)]
    [InlineData(null, true)]
    public async Task StartAsync_Capabilities_SayWhetherTheModelTakesImages(string? capabilities, bool takes)
    {
        _server.Capabilities = capabilities?.Split(',');

        await _servers.StartAsync(Cancellation);

        _servers.Models.ShouldHaveSingleItem().TakesImages.ShouldBe(takes);
    }

    [Fact]
    public async Task RunAsync_Images_AreTheirMessagesOwn()
    {
        await _servers.StartAsync(Cancellation);
        ForwardedPrompt forward = new() { Messages = [new("user", "what is it?") { Images = [new ChatImage("image/png", new byte[] { 1, 2, 3, 250 })] }, new("user", "quick!")] };

        AttemptEnd end = await _servers.Use(_servers.Digests[0]).ShouldNotBeNull().Engine.RunAsync(
            new EngineRequest { Prompt = "", Options = new InferenceOptions(), Seed = 1, Forward = forward }, new VectorsSink(), Cancellation);

        (end.Reason, end.Start?.PromptTokens).ShouldBe((EndReason.Stop, 270));
        JsonElement[] messages = [.. _server.Requests.ShouldHaveSingleItem().GetProperty("messages").EnumerateArray()];
        messages[0].GetProperty("images").EnumerateArray().Select(image => image.GetBytesFromBase64()).ShouldHaveSingleItem().ShouldBe([1, 2, 3, 250]);
        messages[1].TryGetProperty("images", out _).ShouldBeFalse();
    }
}
