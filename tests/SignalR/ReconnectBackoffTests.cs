namespace OllamaMax.SignalR;

public sealed class ReconnectBackoffTests
{
    [Theory]
    [InlineData(0, 50, 100)]
    [InlineData(1, 100, 200)]
    [InlineData(5, 1600, 3200)]
    [InlineData(6, 2500, 5000)]
    [InlineData(int.MaxValue, 2500, 5000)]
    public void Next_Failures_WithinItsHalf(int failures, double leastMs, double mostMs)
    {
        ReconnectBackoff backoff = new(new Random(1));

        double[] waits = [.. Enumerable.Range(0, 100).Select(_ => backoff.Next(failures).TotalMilliseconds)];

        waits.ShouldAllBe(wait => wait >= leastMs && wait <= mostMs);
        waits.Distinct().Count().ShouldBeGreaterThan(50);
    }
}
