using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.Dispatch;
using OllamaMax.SignalR;
using OllamaMax.Streaming;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Cluster;

namespace OllamaMax.Edge.Tests.Dispatch;

public sealed class EdgeListenerTests(AzuriteFixture azurite)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Echo_OfTheEdgeItself_IsNotCountedOnceMore()
    {
        await using TestCluster cluster = await TestCluster.StartAsync(azurite.NewAccount(), cancellationToken: Cancellation);
        EdgeListener listener = cluster.EdgeServices.GetRequiredService<EdgeListener>();
        TaskCompletionSource echoed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        listener.Echoed += _ => echoed.TrySetResult();
        SignalRHub hub = cluster.EdgeServices.GetRequiredService<SignalRHub>();
        string edge = Users.Edge(cluster.EdgeServices.GetRequiredService<EdgeIdentity>().Id);

        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(20));
        while (!echoed.Task.IsCompleted)
        {
            await hub.SendToUserAsync(edge, Targets.Echo, new EchoMessage(1), ProtocolJson.Default.EchoMessage, Cancellation);
            await timer.WaitForNextTickAsync(Cancellation);
        }

        listener.HeardUnits.ShouldBe(0);
    }

    [Fact]
    public async Task WaitUntilConnected_ServiceBackAfterLongerThanThePatience_ConnectsForWhoAsks()
    {
        await using TestCluster cluster = await TestCluster.StartAsync(azurite.NewAccount(), cancellationToken: Cancellation);
        EdgeListener listener = cluster.EdgeServices.GetRequiredService<EdgeListener>();
        (await listener.WaitUntilConnectedAsync(TimeSpan.FromMinutes(1))).ShouldBeTrue();

        await cluster.Surface.DisposeAsync();
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(20));
        while (listener.IsConnected)
            await timer.WaitForNextTickAsync(Cancellation);
        (await listener.WaitUntilConnectedAsync(TimeSpan.Zero)).ShouldBeFalse();

        await cluster.StartSurfaceAgainAsync(Cancellation);
        (await listener.WaitUntilConnectedAsync(TimeSpan.Zero)).ShouldBeTrue();
    }
}
