using OllamaMax.Bench.Reporting;
using OllamaMax.Placement;

namespace OllamaMax.Bench.Placement;

/// <summary>Where the real placement classes send jobs, in virtual time; what one choice costs; and who waits while one tenant floods a model.</summary>
internal static class PlacementBench
{
    private const string Affinity = "prefix-affinity";
    private const double MostBehind = 1.05;

    /// <summary>To tell apart what prefixes bring and what speeds do; no peer that has to be beaten.</summary>
    private const string Unmeasured = "prefix-affinity, speeds unknown";

    private static readonly (string Name, Func<PlacementSizes, Func<int, IPlacementPolicy>> Make)[] s_policies =
    [
        ("random", sizes => edge => new RandomPolicy(new Random(sizes.Seed + edge))),
        ("round-robin", sizes => edge => new RoundRobinPolicy(sizes.Workers / sizes.Edges * edge)),
        ("least-loaded", sizes => edge => new LeastLoadedPolicy(new Random(sizes.Seed + edge))),
        (Unmeasured, _ => _ => new PrefixAffinityPolicy()),
        (Affinity, _ => _ => new PrefixAffinityPolicy()),
    ];

    public static Task RunAsync(BenchOptions options, BenchResult result, CancellationToken cancellationToken)
    {
        PlacementSizes sizes = options.Quick ? PlacementSizes.Quick : PlacementSizes.Full;
        if (options.Wants("simulation"))
        {
            foreach (Traffic traffic in (Traffic[])[Traffic.Shared, Traffic.Mixed, Traffic.Distinct])
                Simulate(traffic, sizes, result, options.Report, cancellationToken);
        }
        if (options.Wants("choice"))
            ChoiceTime.Measure(sizes, result);
        if (options.Wants("flood"))
            Flood.Measure(sizes, result);
        return Task.CompletedTask;
    }

    /// <summary>All policies on the same traffic.</summary>
    public static IReadOnlyDictionary<string, SimulationResult> Compare(Traffic traffic, PlacementSizes sizes, Action<string> report, CancellationToken cancellationToken)
    {
        Dictionary<string, SimulationResult> results = [];
        foreach (var (name, make) in s_policies)
        {
            cancellationToken.ThrowIfCancellationRequested();
            report($"placement: {traffic.Name}, {name}");
            results.Add(name, new Simulation(sizes with { TellsSpeeds = name != Unmeasured }, traffic, make(sizes)).Run());
        }
        return results;
    }

    private static void Simulate(Traffic traffic, PlacementSizes sizes, BenchResult result, Action<string> report, CancellationToken cancellationToken)
    {
        IReadOnlyDictionary<string, SimulationResult> results = Compare(traffic, sizes, report, cancellationToken);
        Table table = result.Add(new Table(
            $"Simulated: {traffic.Name}",
            Note(traffic, sizes),
            [
                "policy", "requests", "warm prefix, % of tokens", "first token p50, s", "p95, s", "p99, s", "slot p99, s", "slots in use, %", "imbalance (p99 ÷ mean)", "refused pushes a request",
                "queued, %",
            ]));
        foreach (var (name, one) in results)
        {
            table.Add(
                name, one.FirstToken.Count, one.HitRate * 100, one.FirstToken.Median, one.FirstToken.P95, one.FirstToken.P99, one.Slot.P99, one.Load * 100, one.Imbalance, one.Refused,
                one.Queued * 100);
        }
        SetAims(traffic, results, result);
    }

    private static string Note(Traffic traffic, PlacementSizes sizes) =>
        $"{sizes.Workers} workers of four speeds (1 to 8), {sizes.Edges} edges, {sizes.Requests} requests at {sizes.Rate} a second; the first {sizes.WarmUp.TotalSeconds:0} s do not count. " +
        (traffic == Traffic.Distinct
            ? "Prompts of 30 to 3000 tokens with nothing in common but a system prompt of five words."
            : $"{traffic.InConversation * 100:0} % are turns of conversations, {traffic.Alone * 100:0} % single questions, over {sizes.Groups} system prompts of 300 to 3000 tokens; the others share nothing.") +
        " Warm: of the prompt tokens that any worker had read before, those that the job's own worker still had.";

    private static void SetAims(Traffic traffic, IReadOnlyDictionary<string, SimulationResult> results, BenchResult result)
    {
        SimulationResult affinity = results[Affinity];
        SimulationResult[] others = [.. results.Where(one => one.Key is not (Affinity or Unmeasured)).Select(one => one.Value)];
        result.Aim(
            $"{traffic.Name}: time to the first token, p99, {Affinity} ÷ the best of the others",
            affinity.FirstToken.P99 / others.Min(other => other.FirstToken.P99),
            traffic == Traffic.Distinct ? MostBehind : 1,
            atMost: true);
        if (traffic == Traffic.Distinct)
            return;
        result.Aim(
            $"{traffic.Name}: time to the first token, median, {Affinity} ÷ the best of the others",
            affinity.FirstToken.Median / others.Min(other => other.FirstToken.Median),
            1,
            atMost: true);
        result.Aim($"{traffic.Name}: warm prefix, {Affinity} ÷ the best of the others", affinity.HitRate / others.Max(other => other.HitRate), 1, atMost: false);
    }
}
