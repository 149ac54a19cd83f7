using Microsoft.Extensions.Logging.Abstractions;
using OllamaMax.TestKit;

namespace OllamaMax.SignalR;

/// <summary>The listener where there is nobody to connect to; with a service there: LocalHost's ReconnectTests.</summary>
public sealed class SignalRListenerTests
{
    private readonly WatchedTimeProvider _time = new();
    private int _attempts;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task TryNow_InALongPause_EndsItWhereItIsLeast()
    {
        await using SignalRListener listener = await PausingAsync();
        Task tried = listener.TryNowAsync();

        _time.Advance(ReconnectBackoff.Least - TimeSpan.FromMilliseconds(1));
        _attempts.ShouldBe(4);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        await tried.WaitAsync(Cancellation);

        _attempts.ShouldBe(5);
        listener.State.ShouldBe(ListenerState.Reconnecting);
    }

    [Fact]
    public async Task TryNow_LaterInThePause_EndsItAtOnce()
    {
        await using SignalRListener listener = await PausingAsync();
        _time.Advance(ReconnectBackoff.Least);
        await _time.WaitForTimerAsync(TimeSpan.FromMilliseconds(300), Cancellation);

        await listener.TryNowAsync().WaitAsync(Cancellation);

        _attempts.ShouldBe(5);
    }

    [Fact]
    public async Task Pause_NobodyAsks_IsWaitedOut()
    {
        await using SignalRListener listener = await PausingAsync();
        _time.Advance(ReconnectBackoff.Least);
        await _time.WaitForTimerAsync(TimeSpan.FromMilliseconds(300), Cancellation);
        _attempts.ShouldBe(4);

        _time.Advance(TimeSpan.FromMilliseconds(300));
        // The pause after the fifth.
        await _time.WaitForTimerAsync(ReconnectBackoff.Least, Cancellation);

        _attempts.ShouldBe(5);
    }

    [Fact]
    public async Task TryNow_ListenerEnds_DoesNotWaitForEver()
    {
        SignalRListener listener = await PausingAsync();
        Task tried = listener.TryNowAsync();

        await listener.DisposeAsync();

        await tried.WaitAsync(Cancellation);
        listener.State.ShouldBe(ListenerState.Disconnected);
    }

    [Fact]
    public async Task Connect_NobodyAnswers_IsGivenUpAndTriedAgain()
    {
        int attempts = 0;
        await using SignalRListener listener = new(
            cancelled =>
            {
                attempts++;
                return new(new TaskCompletionSource<Negotiation>().Task.WaitAsync(cancelled));
            },
            _time,
            new ShortestPauses(),
            NullLoggerFactory.Instance);
        listener.Start();
        await _time.WaitForTimerAsync(TimeSpan.FromSeconds(10), Cancellation);

        _time.Advance(TimeSpan.FromSeconds(10));
        await _time.WaitForTimerAsync(TimeSpan.FromMilliseconds(100), Cancellation);
        _time.Advance(TimeSpan.FromMilliseconds(100));
        await _time.WaitForTimerAsync(TimeSpan.FromSeconds(10), Cancellation);

        attempts.ShouldBe(2);
    }

    /// <summary>A listener that has failed four times, at the beginning of a pause of 800 ms.</summary>
    private async Task<SignalRListener> PausingAsync()
    {
        SignalRListener listener = new(
            _ =>
            {
                _attempts++;
                throw new InvalidOperationException("nobody is there");
            },
            _time,
            new ShortestPauses(),
            NullLoggerFactory.Instance);
        listener.Start();
        foreach (int pause in (int[])[100, 200, 400])
        {
            await _time.WaitForTimerAsync(TimeSpan.FromMilliseconds(pause), Cancellation);
            _time.Advance(TimeSpan.FromMilliseconds(pause));
        }
        await _time.WaitForTimerAsync(ReconnectBackoff.Least, Cancellation);
        return listener;
    }

    private sealed class ShortestPauses : Random
    {
        public override double NextDouble() => 0;
    }
}
