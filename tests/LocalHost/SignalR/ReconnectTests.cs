using Microsoft.AspNetCore.Http.Connections;
using Microsoft.Extensions.Logging.Abstractions;
using OllamaMax.SignalR;

namespace OllamaMax.LocalHost.SignalR;

public sealed class ReconnectTests
{
    [Theory]
    [InlineData(HttpTransportType.WebSockets)]
    [InlineData(HttpTransportType.LongPolling)]
    public async Task Listener_SurfaceRestartedOnTheSamePort_ConnectsAnewWithAFreshNegotiation(HttpTransportType transport)
    {
        await using SurfaceHarness harness = await SurfaceHarness.StartAsync();
        int negotiations = 0;
        await using Inbox inbox = new(_ => Negotiate(harness, ref negotiations), transport, harness.Cancel);
        await inbox.ShouldPassAsync(ListenerState.Reconnecting, ListenerState.Connected);
        negotiations.ShouldBe(1);

        await harness.Surface.DisposeAsync();
        await inbox.ShouldPassAsync(ListenerState.Reconnecting);
        await using SignalRSurface again = await StartAgainAsync(harness);
        await inbox.ShouldPassAsync(ListenerState.Connected);

        await again.WaitForUserAsync(SurfaceHarness.HubName, "u", harness.Cancel);
        (await harness.SendAsync("u", "after")).ShouldBeOfType<SendOutcome.Sent>();
        (await inbox.NextAsync()).ShouldBe("after");
        negotiations.ShouldBeGreaterThan(1);
    }

    [Fact]
    public async Task Listener_ServiceNotThereYet_ConnectsWhenItComes()
    {
        await using SurfaceHarness harness = await SurfaceHarness.StartAsync();
        await harness.Surface.DisposeAsync();
        int negotiations = 0;
        TaskCompletionSource tried = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using Inbox inbox = new(
            _ =>
            {
                if (negotiations == 1)
                    tried.SetResult();
                return Negotiate(harness, ref negotiations);
            },
            HttpTransports.All,
            harness.Cancel);
        await tried.Task.WaitAsync(harness.Cancel);

        await using SignalRSurface again = await StartAgainAsync(harness);

        await inbox.Listener.WaitUntilConnectedAsync(harness.Cancel);
        inbox.Listener.State.ShouldBe(ListenerState.Connected);
    }

    [Fact]
    public async Task Send_SurfaceGoneAndBack_UnreachableThenSent()
    {
        await using SurfaceHarness harness = await SurfaceHarness.StartAsync();
        (await harness.SendAsync("u", "x")).ShouldBeOfType<SendOutcome.Sent>();

        await harness.Surface.DisposeAsync();
        (await harness.SendAsync("u", "x")).ShouldBeOfType<SendOutcome.Unreachable>();
        await using SignalRSurface again = await StartAgainAsync(harness);

        (await harness.SendAsync("u", "x")).ShouldBeOfType<SendOutcome.Sent>();
    }

    private static ValueTask<Negotiation> Negotiate(SurfaceHarness harness, ref int count)
    {
        count++;
        return ValueTask.FromResult(harness.Hub.Negotiate("u", TimeSpan.FromMinutes(1)));
    }

    private static Task<SignalRSurface> StartAgainAsync(SurfaceHarness harness) => SignalRSurface.StartAsync(
        new() { Port = new Uri(harness.Surface.Endpoint).Port, AccessKey = harness.AccessKey },
        TimeProvider.System,
        NullLoggerFactory.Instance,
        harness.Cancel);
}
