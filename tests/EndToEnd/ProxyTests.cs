using System.Net;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using OllamaMax.LocalHost.SignalR;
using OllamaMax.SignalR;
using OllamaMax.TestKit;

namespace OllamaMax.EndToEnd.Tests;

/// <summary>Networks that let out little.</summary>
[Collection(nameof(RunsAlone))]
public sealed class ProxyTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Start_WithAProxyThatIsNotThere_StaysOnThisMachine()
    {
        Dictionary<string, string?> environment = Proxy("http://127.0.0.1:9");
        await using LocalSystem system = await LocalSystem.StartAsync(new() { Environment = environment }, Cancellation);
        using HttpClient client = system.Client();

        (await client.ChatAsync()).ShouldContain("OllamaMax");
    }

    [Fact]
    public async Task Worker_BehindAProxy_JoinsThroughItAndAnswers()
    {
        await using LocalSystem system = await LocalSystem.StartAsync(new() { Workers = 0 }, Cancellation);
        await using ForwardProxy proxy = new();
        // A name that is not this machine's own, so the proxy is asked; what it passes on comes back here.
        Uri edge = new($"http://host.docker.internal:{system.BaseAddress.Port}");

        await using JoinedWorker worker = await JoinedWorker.StartAsync(system, edge, Proxy(proxy.Address.ToString()), Cancellation);

        using HttpClient client = system.Client();
        (await client.ChatAsync()).ShouldContain("OllamaMax");
        JsonElement listed = (await client.WorkersAsync()).EnumerateArray().ShouldHaveSingleItem();
        listed.GetProperty("pid").GetInt32().ShouldBe(worker.Pid);
        proxy.Seen.ShouldContain($"POST {edge}cluster/enrolments HTTP/1.1");
    }

    [Fact]
    public async Task Listener_ProxyWithoutWebSockets_FallsBackAndHears()
    {
        await using SignalRSurface surface = await SignalRSurface.StartAsync(
            new SignalRSurfaceOptions(), TimeProvider.System, NullLoggerFactory.Instance, Cancellation);
        await using ForwardProxy proxy = new();
        IWebProxy before = HttpClient.DefaultProxy;
        HttpClient.DefaultProxy = new WebProxy(proxy.Address);
        try
        {
            using SignalRSender sender = new(TimeProvider.System);
            SignalRHub here = new(SignalRConnectionString.Parse(surface.ConnectionString), "test", sender, TimeProvider.System);
            string elsewhere = surface.ConnectionString.Replace("127.0.0.1", "signalr.test", StringComparison.Ordinal);
            SignalRHub through = new(SignalRConnectionString.Parse(elsewhere), "test", sender, TimeProvider.System);
            TaskCompletionSource<string?> heard = new(TaskCreationOptions.RunContinuationsAsynchronously);
            await using SignalRListener listener = new(
                _ => ValueTask.FromResult(through.Negotiate("worker", TimeSpan.FromMinutes(5))), TimeProvider.System, new Random(1), NullLoggerFactory.Instance);
            listener.On("message", text => heard.TrySetResult(text.GetString()));
            listener.Start();
            await listener.WaitUntilConnectedAsync(Cancellation);
            await surface.WaitForUserAsync("test", "worker", Cancellation);

            await here.SendToUserAsync("worker", "message", "through it all", StringJson.Default.String, Cancellation);

            (await heard.Task.WaitAsync(Cancellation)).ShouldBe("through it all");
            proxy.Seen.ShouldContain(line => line.StartsWith("CONNECT signalr.test", StringComparison.Ordinal), "WebSockets are tried first.");
            proxy.Seen.ShouldContain(line => line.StartsWith("POST http://signalr.test", StringComparison.Ordinal));
        }
        finally
        {
            HttpClient.DefaultProxy = before;
        }
    }

    private static Dictionary<string, string?> Proxy(string address) => new()
    {
        ["HTTP_PROXY"] = address,
        ["http_proxy"] = address,
        ["HTTPS_PROXY"] = address,
        ["https_proxy"] = address,
        ["NO_PROXY"] = null,
        ["no_proxy"] = null,
    };
}

[System.Text.Json.Serialization.JsonSerializable(typeof(string))]
internal sealed partial class StringJson : System.Text.Json.Serialization.JsonSerializerContext;
