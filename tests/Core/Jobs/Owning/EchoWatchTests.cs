using OllamaMax.Jobs.Owning;

namespace OllamaMax.Core.Tests.Jobs.Owning;

public sealed class EchoWatchTests
{
    private static readonly OwnerOptions Options = new();
    private readonly EchoWatch _watch = new(Options);

    [Fact]
    public void IsDue_OncePerInterval()
    {
        TimeSpan now = TimeSpan.FromHours(1);

        _watch.IsDue(now).ShouldBeTrue();
        _watch.IsDue(now + (Options.EchoInterval / 2)).ShouldBeFalse();
        _watch.IsDue(now + Options.EchoInterval).ShouldBeTrue();
    }

    [Fact]
    public void IsHearing_FromBeginOrEchoUntilTheTimeout()
    {
        TimeSpan now = TimeSpan.FromHours(1);
        _watch.IsHearing(now).ShouldBeFalse();

        _watch.Begin(now);
        _watch.IsHearing(now + (Options.EchoTimeout / 2)).ShouldBeTrue();
        _watch.IsHearing(now + Options.EchoTimeout).ShouldBeFalse();

        _watch.Heard(now + Options.EchoTimeout);
        _watch.IsHearing(now + Options.EchoTimeout).ShouldBeTrue();
    }
}
