using Microsoft.AspNetCore.Http.Connections;
using OllamaMax.SignalR;

namespace OllamaMax.LocalHost.SignalR;

public sealed class DeliveryTests
{
    [Theory]
    [InlineData(HttpTransportType.WebSockets)]
    [InlineData(HttpTransportType.ServerSentEvents)]
    [InlineData(HttpTransportType.LongPolling)]
    public async Task SendToUser_ByTransport_ArrivesInOrder(HttpTransportType transport)
    {
        await using SurfaceHarness harness = await SurfaceHarness.StartAsync();
        Inbox inbox = await harness.ListenAsync("edge-1", transport);

        string[] texts = [.. Enumerable.Range(0, 200).Select(i => $"message {i} ünï 🙂 \"<&>")];
        foreach (string text in texts)
            (await harness.SendAsync("edge-1", text)).ShouldBeOfType<SendOutcome.Sent>();

        (await inbox.TakeAsync(texts.Length)).ShouldBe(texts);
    }

    [Fact]
    public async Task SendToUser_OthersAndOtherHubsConnected_OnlyThatUserReceives()
    {
        await using SurfaceHarness harness = await SurfaceHarness.StartAsync();
        Inbox one = await harness.ListenAsync("one");
        Inbox sameUser = await harness.ListenAsync("one");
        Inbox two = await harness.ListenAsync("two");
        Inbox otherHub = await harness.ListenAsync("one", hub: "other");
        await ShouldReachTwo(harness, one, sameUser);

        await harness.SendAsync("one", "for one");
        await harness.SendAsync("one", "end");
        await harness.SendAsync("two", "end");

        (await one.TakeUntilAsync("end")).ShouldBe(["for one"]);
        (await sameUser.TakeUntilAsync("end")).ShouldBe(["for one"]);
        (await two.TakeUntilAsync("end")).ShouldBeEmpty();
        SignalRHub other = new(harness.Connection, "other", harness.Sender, TimeProvider.System);
        await other.SendToUserAsync("one", "message", "end", TestJson.Default.String, harness.Cancel);
        (await otherHub.TakeUntilAsync("end")).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("a/b")]
    [InlineData("a%2Fb")]
    [InlineData("ünï code+&?#:")]
    [InlineData("...")]
    public async Task SendToUser_NameNeedsEscaping_Arrives(string user)
    {
        await using SurfaceHarness harness = await SurfaceHarness.StartAsync();
        Inbox inbox = await harness.ListenAsync(user);

        (await harness.SendAsync(user, "hello")).ShouldBeOfType<SendOutcome.Sent>();

        (await inbox.NextAsync()).ShouldBe("hello");
    }

    [Fact]
    public async Task SendToGroup_MembersHereAndToCome_ReachesThemAlone()
    {
        await using SurfaceHarness harness = await SurfaceHarness.StartAsync();
        Inbox member = await harness.ListenAsync("member");
        Inbox stranger = await harness.ListenAsync("stranger");
        (await harness.Hub.AddToGroupAsync("member", "workers", harness.Cancel)).ShouldBeOfType<SendOutcome.Sent>();
        (await harness.Hub.AddToGroupAsync("later", "workers", harness.Cancel)).ShouldBeOfType<SendOutcome.Sent>();
        Inbox later = await harness.ListenAsync("later");

        await harness.Hub.SendToGroupAsync("workers", "message", "to the group", TestJson.Default.String, harness.Cancel);
        foreach (string user in (string[])["member", "later", "stranger"])
            await harness.SendAsync(user, "end");

        (await member.TakeUntilAsync("end")).ShouldBe(["to the group"]);
        (await later.TakeUntilAsync("end")).ShouldBe(["to the group"]);
        (await stranger.TakeUntilAsync("end")).ShouldBeEmpty();
    }

    [Fact]
    public async Task CloseConnections_OfAListeningUser_ReconnectsAndReceivesAgain()
    {
        await using SurfaceHarness harness = await SurfaceHarness.StartAsync();
        Inbox inbox = await harness.ListenAsync("worker");
        await inbox.ShouldPassAsync(ListenerState.Reconnecting, ListenerState.Connected);

        (await harness.Hub.CloseConnectionsAsync("worker", harness.Cancel)).ShouldBeOfType<SendOutcome.Sent>();
        await inbox.ShouldPassAsync(ListenerState.Reconnecting, ListenerState.Connected);

        await harness.Surface.WaitForUserAsync(SurfaceHarness.HubName, "worker", harness.Cancel);
        await harness.SendAsync("worker", "again");
        (await inbox.NextAsync()).ShouldBe("again");
        await inbox.DisposeAsync();
        await inbox.ShouldPassAsync(ListenerState.Disconnected);
    }

    /// <summary>WaitForUser tells of one connection; a probe tells of the second.</summary>
    private static async Task ShouldReachTwo(SurfaceHarness harness, Inbox one, Inbox two)
    {
        await one.Listener.WaitUntilConnectedAsync(harness.Cancel);
        await two.Listener.WaitUntilConnectedAsync(harness.Cancel);
        Task<string> first = one.NextAsync().AsTask(), second = two.NextAsync().AsTask();
        while (!first.IsCompleted || !second.IsCompleted)
            await harness.SendAsync("one", "probe");
        // What is left of the probes.
        await harness.SendAsync("one", "ready");
        await one.TakeUntilAsync("ready");
        await two.TakeUntilAsync("ready");
    }
}
