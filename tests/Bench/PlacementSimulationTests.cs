using OllamaMax.Bench.Placement;

namespace OllamaMax.Bench.Tests;

/// <summary>The simulation at a hundredth of its size: what the policy is for must show there too.</summary>
public sealed class PlacementSimulationTests
{
    private const string Affinity = "prefix-affinity";

    private static readonly PlacementSizes Sizes = PlacementSizes.Full with
    {
        Workers = 100,
        Edges = 5,
        Requests = 6000,
        Rate = 45,
        Groups = 50,
        WarmUp = TimeSpan.FromSeconds(30),
    };

    [Fact]
    public void Compare_SharedPrefixes_AffinityKeepsThemWarmAndAnswersSooner()
    {
        IReadOnlyDictionary<string, SimulationResult> results = Compare(Traffic.Shared);

        SimulationResult affinity = results[Affinity];
        foreach (SimulationResult other in Baselines(results))
        {
            affinity.HitRate.ShouldBeGreaterThan(other.HitRate * 1.2);
            affinity.FirstToken.Median.ShouldBeLessThan(other.FirstToken.Median);
            affinity.FirstToken.P99.ShouldBeLessThan(other.FirstToken.P99);
        }
    }

    [Fact]
    public void Compare_NothingShared_AffinityCostsNextToNothing()
    {
        IReadOnlyDictionary<string, SimulationResult> results = Compare(Traffic.Distinct);

        double best = Baselines(results).Min(one => one.FirstToken.P99);
        results[Affinity].FirstToken.P99.ShouldBeLessThanOrEqualTo(best * 1.05);
    }

    /// <summary>Nothing of it depends on the machine or the moment.</summary>
    [Fact]
    public void Compare_Twice_IsTheSame()
    {
        PlacementSizes few = Sizes with { Requests = 800 };

        SimulationResult[] one = [.. PlacementBench.Compare(Traffic.Mixed, few, _ => { }, Cancellation).Values];
        SimulationResult[] other = [.. PlacementBench.Compare(Traffic.Mixed, few, _ => { }, Cancellation).Values];

        other.Select(result => (result.HitRate, result.FirstToken.P99)).ShouldBe(one.Select(result => (result.HitRate, result.FirstToken.P99)));
    }

    private static IEnumerable<SimulationResult> Baselines(IReadOnlyDictionary<string, SimulationResult> results) =>
        results.Where(one => one.Key is "random" or "round-robin" or "least-loaded").Select(one => one.Value);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static IReadOnlyDictionary<string, SimulationResult> Compare(Traffic traffic) => PlacementBench.Compare(traffic, Sizes, _ => { }, Cancellation);
}
