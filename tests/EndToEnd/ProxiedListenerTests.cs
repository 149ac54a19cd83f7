using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using OllamaMax.LocalHost.SignalR;
using OllamaMax.SignalR;
using OllamaMax.TestKit;

namespace OllamaMax.EndToEnd.Tests;

/// <summary>The listener in a network that lets out little. The proxy is the whole process's.</summary>
[Collection(nameof(RunsAlone))]
public sealed class ProxiedListenerTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

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
}
