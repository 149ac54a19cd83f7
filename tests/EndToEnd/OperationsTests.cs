using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using OllamaMax.Inference.Packages;
using OllamaMax.TestKit;

namespace OllamaMax.EndToEnd.Tests;

/// <summary>What lies in <c>ops/</c> for operators, against the running system.</summary>
public sealed partial class OperationsTests(LocalSystemFixture local)
{
    private static readonly string Root = RepositoryRoot.Find();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("ops/alerts/ollamamax.rules.yaml")]
    [InlineData("ops/grafana/ollamamax.json")]
    public async Task Series_OfRulesAndDashboards_AreAllScraped(string file)
    {
        string text = await ReadAsync(file);
        string[] series = [.. Series().Matches(text).Select(match => match.Groups["name"].Value).Distinct()];
        string[] labels =
        [
            .. Series().Matches(text).SelectMany(match => Label().Matches(match.Groups["labels"].Value)).Select(match => match.Groups["name"].Value),
            .. Grouping().Matches(text).SelectMany(match => match.Groups["labels"].Value.Split(',', StringSplitOptions.TrimEntries)),
        ];
        series.Length.ShouldBeGreaterThan(5);
        using HttpResponseMessage answer = await local.Client.PostAsync(
            "/api/generate", JsonBody("""{"model":"demo","prompt":"What is OllamaMax?","stream":false}"""), Cancellation);
        answer.EnsureSuccessStatusCode();
        // What fails has a label of its own.
        using HttpResponseMessage tooLong = await local.Client.PostAsync(
            "/v1/completions", JsonBody(JsonSerializer.Serialize(new { model = "demo", prompt = string.Concat(Enumerable.Repeat("What is OllamaMax? ", 3000)) })), Cancellation);
        tooLong.StatusCode.ShouldBe(HttpStatusCode.BadRequest);

        // The leader's first pass may still be under way, and a scrape is kept for 300 ms.
        string[] lacking;
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(200));
        do
        {
            string scrape = await local.Client.GetStringAsync("/metrics", Cancellation);
            lacking =
            [
                .. series.Where(name => !scrape.Contains($"\n{name}{{", StringComparison.Ordinal)),
                .. labels.Distinct().Where(name => !Regex.IsMatch(scrape, $"[{{,]{name}=\"")),
            ];
        }
        while (lacking.Length > 0 && ChangesStill(lacking) && await timer.WaitForNextTickAsync(Cancellation));
        lacking.ShouldBeEmpty();
    }

    /// <summary>A probe a second that is answered well hides that nothing else is.</summary>
    [Theory]
    [InlineData("ops/alerts/ollamamax.rules.yaml")]
    [InlineData("ops/grafana/ollamamax.json")]
    public async Task ShareOfErrors_OfRulesAndDashboards_LeavesProbesOut(string file)
    {
        string share = (await ReadAsync(file)).Split('\n').Single(line => line.Contains("ollamamax_requests_total{status=~", StringComparison.Ordinal)).Replace("\\", "", StringComparison.Ordinal);
        string[] probes = ["/healthz", "/readyz", "/metrics"];
        foreach (string probe in probes)
            (await local.Client.GetAsync(probe, Cancellation)).Dispose();

        // Of both, what failed and all.
        Regex.Count(share, Regex.Escape($"route!~\"{string.Join('|', probes)}\"")).ShouldBe(2);
        // They are called so there; a scrape is kept for 300 ms.
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(200));
        string scrape;
        do
        {
            scrape = await local.Client.GetStringAsync("/metrics", Cancellation);
        }
        while (!probes.All(probe => scrape.Contains($"route=\"{probe}\"", StringComparison.Ordinal)) && await timer.WaitForNextTickAsync(Cancellation));
    }

    [Fact]
    public async Task Alerts_EachOne_HasItsPartOfTheRunbook()
    {
        string runbook = await ReadAsync("docs/runbook.md");
        string[] alerts = [.. Alert().Matches(await ReadAsync("ops/alerts/ollamamax.rules.yaml")).Select(match => match.Groups["name"].Value)];

        alerts.Length.ShouldBeGreaterThan(5);
        alerts.Where(alert => !runbook.Contains($"\n## {alert}\n", StringComparison.Ordinal)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Dashboard_IsJsonWithPanelsThatDoNotOverlap()
    {
        using JsonDocument dashboard = JsonDocument.Parse(await ReadAsync("ops/grafana/ollamamax.json"));
        HashSet<(int, int)> taken = [];
        foreach (JsonElement panel in dashboard.RootElement.GetProperty("panels").EnumerateArray())
        {
            JsonElement at = panel.GetProperty("gridPos");
            for (int x = Of("x"); x < Of("x") + Of("w"); x++)
            {
                x.ShouldBeLessThan(24);
                for (int y = Of("y"); y < Of("y") + Of("h"); y++)
                    taken.Add((x, y)).ShouldBeTrue(panel.GetProperty("title").GetString());
            }

            int Of(string name) => at.GetProperty(name).GetInt32();
        }
    }

    /// <summary>What the leader alone says comes with its first pass, what failed just now with the next scrape; anything else that is not there will not come.</summary>
    private static bool ChangesStill(string[] lacking) =>
        lacking.All(name => name.StartsWith("ollamamax_reconcile", StringComparison.Ordinal) || name.StartsWith("ollamamax_leader", StringComparison.Ordinal) || name is "reconciler" or "outcome" or "error_type");

    private static StringContent JsonBody(string json) => new(json, System.Text.Encoding.UTF8, "application/json");

    private static Task<string> ReadAsync(string file) => File.ReadAllTextAsync(Path.Combine(Root, file), Cancellation);

    [GeneratedRegex("""(?<name>\b(ollamamax|gen_ai_server)_[a-z_]+)(?<labels>\{[^}]*\})?""")]
    private static partial Regex Series();

    [GeneratedRegex("""(?<name>[a-z_]+)(=~|!=|!~|=)\\?""" + "\"")]
    private static partial Regex Label();

    [GeneratedRegex("""\bby \((?<labels>[a-z_, ]+)\)""")]
    private static partial Regex Grouping();

    [GeneratedRegex("""alert: (?<name>\w+)""")]
    private static partial Regex Alert();
}
