using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Cluster;
using OllamaMax.Edge.Cluster;
using OllamaMax.Edge.Dispatch;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.TestKit;
using OllamaMax.Workers;
using OpenTelemetry.Exporter;

namespace OllamaMax.Edge.Tests.Operations;

[Collection(nameof(RunsAlone))]
public sealed class DispatchMetricsTests
{
    private static readonly WorkerReport Report = WorkerReports.Idle() with { SlotsUsed = 1 };

    /// <summary>Beside those of the edge that leads they would say for ever that a worker is alive.</summary>
    [Fact]
    public async Task Workers_OfAnEdgeThatHasNotListedForLong_AreNotScraped()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync(services: services => services
            .AddSingleton<DispatchMetrics>()
            .Configure<PrometheusAspNetCoreOptions>(options => options.ScrapeResponseCacheDurationMilliseconds = 0));
        DispatchMetrics metrics = edge.Services.GetRequiredService<DispatchMetrics>();
        (await ScrapedAsync(edge)).ShouldBeEmpty();

        metrics.SetWorkers([new(Report, TimeSpan.Zero)]);
        metrics.SetSlots(1, 4);
        edge.Time.Advance(2 * new ClusterOptions().ListEvery);
        string[] listed = await ScrapedAsync(edge);
        listed.Length.ShouldBe(Enum.GetValues<WorkerState>().Length + 2);
        listed.ShouldContain(line => line.StartsWith("ollamamax_workers{", StringComparison.Ordinal) && line.Contains("state=\"alive\"} 1", StringComparison.Ordinal));

        edge.Time.Advance(new ClusterOptions().ListEvery);
        (await ScrapedAsync(edge)).ShouldBeEmpty();
    }

    private static async Task<string[]> ScrapedAsync(EdgeServer edge)
    {
        using HttpResponseMessage response = await edge.SendAsync(HttpMethod.Get, "/metrics");
        return [.. (await response.TextAsync()).Split('\n').Where(line => line.StartsWith("ollamamax_workers{", StringComparison.Ordinal) || line.StartsWith("ollamamax_slots", StringComparison.Ordinal))];
    }
}
