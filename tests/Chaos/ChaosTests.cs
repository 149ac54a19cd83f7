using System.Diagnostics;
using System.Globalization;
using OllamaMax.Chaos.Tests.Events;

namespace OllamaMax.Chaos.Tests;

/// <summary>
/// Everything goes wrong, in an order drawn from one seed, while clients ask; each request is answered once and as if nothing had happened,
/// or fails with a reason that its client saw.
/// </summary>
public sealed class ChaosTests(ChaosFixture chaos)
{
    /// <summary>How long the long run takes, and what it is drawn from; a seed of the clock's where there is none.</summary>
    private const string MinutesVariable = "OLLAMAMAX_CHAOS_MINUTES", SeedVariable = "OLLAMAMAX_CHAOS_SEED";

    private const int LinesShown = 400;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task EverythingFails_OneAfterTheOther_EachRequestIsAccountedFor()
    {
        const int Seed = 4;
        await RunAsync(Seed, ChaosPlan.Draw(Seed, chaos.System.Workers.Count).Take(ChaosPlan.DeckSize));
    }

    /// <summary>As long as the environment says: <c>OLLAMAMAX_CHAOS_MINUTES=30 .ci/nightly</c>.</summary>
    [Fact(Explicit = true)]
    [Trait("Category", "Slow")]
    public async Task EverythingFails_ForAsLongAsAskedFor_EachRequestIsAccountedFor()
    {
        double minutes = double.Parse(Environment.GetEnvironmentVariable(MinutesVariable) ?? "30", CultureInfo.InvariantCulture);
        int seed = Environment.GetEnvironmentVariable(SeedVariable) is { Length: > 0 } given
            ? int.Parse(given, CultureInfo.InvariantCulture) : (int)(Stopwatch.GetTimestamp() % int.MaxValue);
        long start = Stopwatch.GetTimestamp();
        await RunAsync(
            seed,
            ChaosPlan.Draw(seed, chaos.System.Workers.Count).TakeWhile(_ => Stopwatch.GetElapsedTime(start).TotalMinutes < minutes));
    }

    private async Task RunAsync(int seed, IEnumerable<ChaosEvent> plan)
    {
        Pulse pulse = new();
        Conductor conductor = new(chaos.System, pulse);
        long start = Stopwatch.GetTimestamp();
        int from = chaos.System.Log.Lines.Count;
        await using Load load = Load.Mixed(chaos.System, pulse, seed, Cancellation);
        await conductor.PlayAsync(plan, Cancellation);
        bool hasEnded = await load.EndAsync(Patience);

        List<string> wrong = [.. new Checker(chaos.Expected).Check(load.Outcomes, conductor.Incidents)];
        if (!hasEnded)
            wrong.AddRange(load.Unanswered.Select(hanging => $"no end within {Patience.TotalSeconds:0} s after all was mended: {hanging}"));
        string report = Report(seed, load, conductor, start);
        TestContext.Current.TestOutputHelper?.WriteLine(report);
        wrong.ShouldBeEmpty($"{report}\n{Lines(wrong, from)}");
        load.Outcomes.Count(outcome => outcome.Error is null).ShouldBeGreaterThan(conductor.Incidents.Count, report);
    }

    private static string Report(int seed, Load load, Conductor conductor, long start) => string.Join('\n', [
        $"{SeedVariable}={seed}: {load.Outcomes.Count} requests, {load.Outcomes.Count(outcome => outcome.Error is null)} answered",
        .. conductor.Incidents.Select(incident => incident.Describe(start)),
        .. load.Outcomes.Where(outcome => outcome.Error is not null).Select(outcome => $"failed with a reason or without: {outcome}")]);

    /// <summary>What the parts wrote about the requests in question, and the last that they wrote of anything.</summary>
    private string Lines(List<string> wrong, int from)
    {
        string[] lines = [.. chaos.System.Log.Lines.Skip(from)];
        string[] ids = [.. wrong.SelectMany(line => line.Split(' ', ',', '(')).Where(word => word.Length > 30)];
        return string.Join('\n', lines.Where(line => ids.Any(id => line.Contains(id, StringComparison.Ordinal))).Concat(["…"]).Concat(lines.TakeLast(LinesShown)));
    }
}
