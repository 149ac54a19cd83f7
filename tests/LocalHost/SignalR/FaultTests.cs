using Microsoft.Extensions.Time.Testing;
using OllamaMax.SignalR;

namespace OllamaMax.LocalHost.SignalR;

public sealed class FaultTests
{
    private const int Sends = 200;

    [Fact]
    public async Task Drop_FixedSeed_SameMessagesMissingEachTime()
    {
        List<string> first = await RunAsync("seed=7,drop=0.2"), second = await RunAsync("seed=7,drop=0.2");

        first.Count.ShouldBeInRange(Sends * 7 / 10, Sends * 9 / 10);
        first.ShouldBe(second);
        first.ShouldBe(first.Distinct().OrderBy(text => text, StringComparer.Ordinal));
        (await RunAsync("seed=8,drop=0.2")).ShouldNotBe(first);
    }

    [Fact]
    public async Task Double_FixedSeed_SomeArriveTwiceAndNoneIsMissing()
    {
        List<string> received = await RunAsync("seed=7,double=0.2");

        received.Count.ShouldBeInRange(Sends * 11 / 10, Sends * 13 / 10);
        received.Distinct().Count().ShouldBe(Sends);
        received.ShouldBe(received.OrderBy(text => text, StringComparer.Ordinal));
    }

    [Fact]
    public async Task Reorder_FixedSeed_NeighboursSwappedAndNoneIsMissing()
    {
        List<string> received = await RunAsync("seed=7,reorder=0.2,holdback=60s");

        List<string> sent = [.. received.OrderBy(text => text, StringComparer.Ordinal)];
        sent.Distinct().Count().ShouldBe(Sends);
        received.ShouldNotBe(sent);
        received.Select((text, i) => Math.Abs(sent.IndexOf(text) - i)).Max().ShouldBe(1);
    }

    [Fact]
    public async Task Reorder_NothingFollows_ArrivesAfterTheHoldBack()
    {
        await using SurfaceHarness harness = await SurfaceHarness.StartAsync("reorder=1,holdback=10ms");
        Inbox inbox = await harness.ListenAsync("u");

        await harness.SendAsync("u", "alone");

        (await inbox.NextAsync()).ShouldBe("alone");
    }

    [Fact]
    public async Task Delay_ByTheClock_ArrivesWhenItHasPassed()
    {
        FakeTimeProvider time = new(TimeProvider.System.GetUtcNow());
        await using SurfaceHarness harness = await SurfaceHarness.StartAsync("delay=100-200ms", time);
        Inbox inbox = await harness.ListenAsync("u");

        await harness.SendAsync("u", "delayed");
        time.Advance(TimeSpan.FromMilliseconds(99));
        harness.Surface.Faults.Options = SignalRFaultOptions.None;
        await harness.SendAsync("u", "overtakes");
        (await inbox.NextAsync()).ShouldBe("overtakes");
        time.Advance(TimeSpan.FromMilliseconds(101));

        (await inbox.NextAsync()).ShouldBe("delayed");
    }

    [Fact]
    public async Task Throttle_FixedSeed_RefusesWithRetryAfter()
    {
        await using SurfaceHarness harness = await SurfaceHarness.StartAsync("seed=3,throttle=0.5,retry=3s");

        List<SendOutcome> outcomes = [];
        while (outcomes.Count < 100)
            outcomes.Add(await harness.SendAsync("u", "x"));

        SendOutcome.Throttled[] refused = [.. outcomes.OfType<SendOutcome.Throttled>()];
        refused.Length.ShouldBeInRange(30, 70);
        refused.ShouldAllBe(outcome => outcome.RetryAfter == TimeSpan.FromSeconds(3));
        outcomes.OfType<SendOutcome.Sent>().Count().ShouldBe(100 - refused.Length);
        harness.Surface.Faults.Counts.Throttled.ShouldBe(refused.Length);
    }

    [Fact]
    public async Task Cap_MoreThanThatInASecond_RefusedUntilTheNext()
    {
        FakeTimeProvider time = new(TimeProvider.System.GetUtcNow());
        await using SurfaceHarness harness = await SurfaceHarness.StartAsync("cap=3", time);

        for (int i = 0; i < 3; i++)
            (await harness.SendAsync("u", "x")).ShouldBeOfType<SendOutcome.Sent>();
        (await harness.SendAsync("u", "x")).ShouldBeOfType<SendOutcome.Throttled>();
        time.Advance(TimeSpan.FromSeconds(1));

        (await harness.SendAsync("u", "x")).ShouldBeOfType<SendOutcome.Sent>();
    }

    [Fact]
    public async Task Reconnect_EveryTwoMessages_CutsAndTheListenerComesBack()
    {
        await using SurfaceHarness harness = await SurfaceHarness.StartAsync("reconnect=2");
        Inbox inbox = await harness.ListenAsync("u");
        await inbox.ShouldPassAsync(ListenerState.Reconnecting, ListenerState.Connected);

        await harness.SendAsync("u", "1");
        await harness.SendAsync("u", "2");
        await inbox.ShouldPassAsync(ListenerState.Reconnecting, ListenerState.Connected);

        harness.Surface.Faults.Counts.Reconnects.ShouldBe(1);
    }

    [Theory]
    [InlineData("")]
    [InlineData("seed=1,drop=0.05,double=0.05,reorder=0.1,delay=5-50ms,throttle=0.01,cap=200,reconnect=500")]
    public void Parse_Good_Reads(string text)
    {
        SignalRFaultOptions options = SignalRFaultOptions.Parse(text);

        options.ShouldBe(text.Length == 0 ? SignalRFaultOptions.None : new()
        {
            Seed = 1,
            Drop = 0.05,
            Duplicate = 0.05,
            Reorder = 0.1,
            MinDelay = TimeSpan.FromMilliseconds(5),
            MaxDelay = TimeSpan.FromMilliseconds(50),
            Throttle = 0.01,
            Cap = 200,
            Reconnect = 500,
        });
    }

    [Theory]
    [InlineData("drop=1.1")]
    [InlineData("drop=NaN")]
    [InlineData("drop")]
    [InlineData("delay=50-5ms")]
    [InlineData("delay=5")]
    [InlineData("cap=-1")]
    [InlineData("unknown=1")]
    public void Parse_Bad_ThrowsNamingAllOfIt(string text) =>
        Should.Throw<FormatException>(() => SignalRFaultOptions.Parse($"seed=1,{text},reconnect=x"))
            .Message.ShouldBe($"SignalR faults, not understood: {text}, reconnect=x");

    /// <summary>What arrives of <see cref="Sends"/> messages sent one after the other.</summary>
    private static async Task<List<string>> RunAsync(string faults)
    {
        await using SurfaceHarness harness = await SurfaceHarness.StartAsync(faults);
        Inbox inbox = await harness.ListenAsync("u");
        for (int i = 0; i < Sends; i++)
            (await harness.SendAsync("u", $"{i:000}")).ShouldBeOfType<SendOutcome.Sent>();
        harness.Surface.Faults.Options = SignalRFaultOptions.None;
        // The first lets a last one pass that was held back.
        await harness.SendAsync("u", "flush");
        await harness.SendAsync("u", "end");
        return [.. (await inbox.TakeUntilAsync("end")).Where(text => text != "flush")];
    }
}
