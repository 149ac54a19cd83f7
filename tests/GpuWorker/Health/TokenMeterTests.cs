using Microsoft.Extensions.Time.Testing;
using OllamaMax.GpuWorker.Health;

namespace OllamaMax.GpuWorker.Tests.Health;

public sealed class TokenMeterTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly TokenMeter _meter;

    public TokenMeterTests() => _meter = new TokenMeter(_time);

    [Fact]
    public void Read_BeforeTheFirstJob_IsNothing() => _meter.Read().ShouldBeNull();

    [Fact]
    public void Read_TwoJobsForTheSecondHalf_TellsThemApart()
    {
        _meter.Enter();
        Write(10, TimeSpan.FromSeconds(1));
        _meter.Enter();
        Write(20, TimeSpan.FromSeconds(1));

        // 30 tokens in 2 s, for which jobs ran 3 s.
        _meter.Read().ShouldBe(new TokenRates(15, 10));
    }

    [Fact]
    public void Read_NothingRanSince_IsAsBefore()
    {
        _meter.Enter();
        Write(10, TimeSpan.FromSeconds(1));
        _meter.Exit();
        _meter.Read();

        _time.Advance(TimeSpan.FromMinutes(1));

        _meter.Read().ShouldBe(new TokenRates(10, 10));
        _meter.Last.ShouldBe(new TokenRates(10, 10));
    }

    private void Write(int tokens, TimeSpan within)
    {
        for (int i = 0; i < tokens; i++)
            _meter.Token();
        _time.Advance(within);
    }
}
