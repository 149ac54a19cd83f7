using OllamaMax.Jobs.Owning;

namespace OllamaMax.Core.Tests.Jobs.Owning;

public sealed class EchoWatchTests
{
    private static readonly OwnerOptions Options = new();
    private readonly EchoWatch _watch = new(Options);

    [Fact]
    public void Send_OncePerInterval()
    {
        TimeSpan now = TimeSpan.FromHours(1);

        _watch.Send(now).ShouldBe(1);
        _watch.Send(now + (Options.EchoInterval / 2)).ShouldBeNull();
        _watch.Send(now + Options.EchoInterval).ShouldBe(2);
    }

    [Fact]
    public void SilenceTimeout_EchoesTakeLong_GrowsAndFades()
    {
        TimeSpan now = TimeSpan.FromHours(1);
        Echo(TimeSpan.Zero);
        _watch.SilenceTimeout.ShouldBe(Options.SilenceTimeout);

        Echo(TimeSpan.FromSeconds(1));
        _watch.SilenceTimeout.ShouldBe(Options.SilenceTimeout + TimeSpan.FromSeconds(3));

        for (int i = 0; i < 60; i++)
            Echo(TimeSpan.Zero);
        _watch.SilenceTimeout.ShouldBe(Options.SilenceTimeout, TimeSpan.FromMilliseconds(10));

        void Echo(TimeSpan roundTrip)
        {
            now += Options.EchoInterval;
            long number = _watch.Send(now).ShouldNotBeNull();
            now += roundTrip;
            _watch.Heard(number, now);
        }
    }

    [Fact]
    public void IsHearing_FromBeginOrEchoUntilTheTimeout()
    {
        TimeSpan now = TimeSpan.FromHours(1);
        _watch.IsHearing(now).ShouldBeFalse();

        _watch.Begin(now);
        _watch.IsHearing(now + (Options.EchoTimeout / 2)).ShouldBeTrue();
        _watch.IsHearing(now + Options.EchoTimeout).ShouldBeFalse();

        _watch.Heard(1, now + Options.EchoTimeout);
        _watch.IsHearing(now + Options.EchoTimeout).ShouldBeTrue();
    }

    [Fact]
    public void IsDeafFor_EchoesSentInVain_CountNotTheTimeBetween()
    {
        TimeSpan now = TimeSpan.FromHours(1);
        _watch.Begin(now);
        Send(echoes: 3);
        _watch.IsDeafFor(3 * Options.EchoInterval).ShouldBeTrue();
        _watch.IsDeafFor(4 * Options.EchoInterval).ShouldBeFalse();

        // The process stood still.
        now += TimeSpan.FromHours(1);
        Send(echoes: 1);
        _watch.IsDeafFor(5 * Options.EchoInterval).ShouldBeFalse();

        _watch.Heard(1, now);
        _watch.IsDeafFor(Options.EchoInterval).ShouldBeFalse();

        void Send(int echoes)
        {
            for (int i = 0; i < echoes; i++)
                _watch.Send(now += Options.EchoInterval).ShouldNotBeNull();
        }
    }
}
