using System.Diagnostics.Metrics;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using OllamaMax.Edge.Cluster;
using OllamaMax.Edge.Cluster.Leading;
using OllamaMax.Edge.Dispatch;
using OllamaMax.Edge.Http;
using OllamaMax.Inference.Packages;

namespace OllamaMax.Edge.Tests.Operations;

/// <summary>Azure's workbook and alerts name instruments as they are, where a scrape has the collector's spelling.</summary>
public sealed partial class WorkbookTests
{
    private static readonly string Folder = Path.Combine(RepositoryRoot.Find(), "ops");

    [Fact]
    public async Task Queries_OfTheWorkbook_NameInstrumentsThatThereAre()
    {
        JsonElement workbook = await ReadAsync("workbook.json");
        string[] queries =
        [
            .. workbook.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("content"))
                .Where(content => content.TryGetProperty("query", out _)).Select(content => content.GetProperty("query").GetString()!),
        ];

        ShouldNameInstruments(queries).ShouldBeGreaterThan(8);
    }

    [Fact]
    public async Task Alerts_NameInstrumentsThatThereAre_AndHeadingsOfTheRunbook()
    {
        JsonElement[] alerts = [.. (await ReadAsync("alerts.json")).EnumerateArray()];
        string runbook = await File.ReadAllTextAsync(Path.Combine(Folder, "..", "docs", "runbook.md"), TestContext.Current.CancellationToken);

        ShouldNameInstruments([.. alerts.Select(alert => alert.GetProperty("query").GetString()!)]).ShouldBe(alerts.Length);
        alerts.ShouldAllBe(alert => runbook.Contains($"\n## {alert.GetProperty("name").GetString()}\n", StringComparison.Ordinal));
    }

    private static async Task<JsonElement> ReadAsync(string file) =>
        JsonElement.Parse(await File.ReadAllTextAsync(Path.Combine(Folder, "azure", file), TestContext.Current.CancellationToken));

    /// <returns>How many.</returns>
    private static int ShouldNameInstruments(string[] queries)
    {
        queries.ShouldAllBe(query => Named().IsMatch(query));
        string[] names = [.. queries.SelectMany(query => Named().Matches(query)).SelectMany(match => Quoted().Matches(match.Value)).Select(match => match.Groups[1].Value).Distinct()];
        names.Except(Instruments()).ShouldBeEmpty();
        return names.Length;
    }

    private static HashSet<string> Instruments()
    {
        HashSet<string> names = [];
        Lock guard = new();
        using MeterListener listener = new()
        {
            InstrumentPublished = (instrument, _) =>
            {
                lock (guard)
                    names.Add(instrument.Name);
            },
        };
        listener.Start();
        using ServiceProvider services = new ServiceCollection().AddMetrics().AddSingleton(TimeProvider.System).AddSingleton<RequestMetrics>().BuildServiceProvider();
        services.GetRequiredService<RequestMetrics>();
        using DispatchMetrics dispatch = new(Options.Create(new ClusterOptions()), TimeProvider.System);
        using LeaderMetrics leader = new();
        lock (guard)
            return [.. names];
    }

    [GeneratedRegex("""where name (== "[^"]+"|in \([^)]+\))""")]
    private static partial Regex Named();

    [GeneratedRegex("\"([^\"]+)\"")]
    private static partial Regex Quoted();
}
