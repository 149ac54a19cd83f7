using OllamaMax.LocalHost.Processes;

namespace OllamaMax.LocalHost.Tests.Processes;

public sealed class RestartBackoffTests
{
    private readonly RestartBackoff _backoff = new();

    [Fact]
    public void Next_EndsInARow_DoublesUpToTenSeconds()
    {
        double[] delays = [.. Enumerable.Range(0, 9).Select(_ => _backoff.Next(TimeSpan.Zero).TotalSeconds)];

        delays.ShouldBe([0, 0.25, 0.5, 1, 2, 4, 8, 10, 10]);
    }

    [Fact]
    public void Next_AfterAStableRun_StartsOver()
    {
        _backoff.Next(TimeSpan.Zero);
        _backoff.Next(TimeSpan.Zero);

        _backoff.Next(RestartBackoff.Stable).ShouldBe(TimeSpan.Zero);
        _backoff.Next(TimeSpan.Zero).ShouldBe(TimeSpan.FromMilliseconds(250));
    }
}
