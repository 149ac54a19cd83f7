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

/// <summary>Azure's workbook names instruments as they are, where a scrape has the collector's spelling.</summary>
public sealed partial class WorkbookTests
{
    private static readonly string File = Path.Combine(RepositoryRoot.Find(), "ops", "azure", "workbook.json");

    [Fact]
    public async Task Queries_OfTheWorkbook_NameInstrumentsThatThereAre()
    {
        JsonElement workbook = JsonElement.Parse(await System.IO.File.ReadAllTextAsync(File, TestContext.Current.CancellationToken));
        string[] queries =
        [
            .. workbook.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("content"))
                .Where(content => content.TryGetProperty("query", out _)).Select(content => content.GetProperty("query").GetString()!),
        ];
        string[] names = [.. queries.SelectMany(query => Named().Matches(query)).SelectMany(match => Quoted().Matches(match.Value)).Select(match => match.Groups[1].Value).Distinct()];

        names.Length.ShouldBeGreaterThan(8);
        queries.ShouldAllBe(query => Named().IsMatch(query));
        names.Except(Instruments()).ShouldBeEmpty();
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
