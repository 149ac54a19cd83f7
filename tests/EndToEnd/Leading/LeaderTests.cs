using System.Globalization;
using OllamaMax.TestKit;

namespace OllamaMax.EndToEnd.Tests.Leading;

/// <summary>Several edge processes over one storage, with real leases.</summary>
public sealed class LeaderTests
{
    /// <summary>One history of all that can happen to a leader; two of its events wait for storage's shortest lease to run out.</summary>
    [Fact]
    public async Task Leader_IsKilledStandsStillLosesItsLeaseOrLeaves_AnotherLeadsInTheNextEpoch()
    {
        await using EdgeGroup group = await EdgeGroup.StartAsync();
        IReadOnlyList<EdgeStatus> edges = await group.AgreeAsync(after: 0);
        edges.Select(edge => edge.Id).Distinct().Count().ShouldBe(EdgeGroup.Count);
        edges.Select(edge => edge.Pid).Distinct().Count().ShouldBe(EdgeGroup.Count);

        EdgeStatus still = await KillAsync(group, edges);
        EdgeStatus next = await StandStillAsync(group, still);
        await group.BreakLeaseAsync();
        EdgeStatus ended = Leader(await group.AgreeAsync(next.Epoch));
        LocalSystem.Terminate(ended.Pid);
        await group.AgreeAsync(ended.Epoch);

        var (violations, epochs) = await group.History.EndAsync();
        violations.ShouldBeEmpty();
        epochs.ShouldBeGreaterThanOrEqualTo(5);
    }

    /// <summary>
    /// The leader stands still, is killed, ends, is cut off from storage, or the lease is broken: fifty events, or as many as OLLAMAMAX_LEADER_EVENTS says, drawn from OLLAMAMAX_LEADER_SEED, each followed by agreement: <c>.ci/nightly</c>.
    /// </summary>
    [Fact(Explicit = true)]
    [Trait("Category", "Slow")]
    public async Task Leader_ManyEvents_NoEpochFalls()
    {
        int events = Setting("OLLAMAMAX_LEADER_EVENTS", 50), seed = Setting("OLLAMAMAX_LEADER_SEED", 1);
        Random random = new(seed);
        await using EdgeGroup group = await EdgeGroup.StartAsync();
        IReadOnlyList<EdgeStatus> edges = await group.AgreeAsync(after: 0);

        for (int i = 0; i < events; i++)
        {
            EdgeStatus leader = Leader(edges);
            int kind = random.Next(5);
            TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}, event {i}: kind {kind} in epoch {leader.Epoch}");
            switch (kind)
            {
                case 0:
                    LocalSystem.Suspend(leader.Pid);
                    await group.AgreeAsync(leader.Epoch, without: leader);
                    LocalSystem.Resume(leader.Pid);
                    break;
                case 1:
                    LocalSystem.Kill(leader.Pid);
                    break;
                case 2:
                    LocalSystem.Terminate(leader.Pid);
                    break;
                case 3:
                    group.CutOff(leader);
                    await group.AgreeAsync(leader.Epoch, without: leader);
                    group.CutOff(null);
                    break;
                default:
                    await group.BreakLeaseAsync();
                    break;
            }
            edges = await group.AgreeAsync(leader.Epoch);
        }

        (await group.History.EndAsync()).Violations.ShouldBeEmpty();
    }

    /// <summary>kill -9: the others live on, and its place is taken by a new one.</summary>
    /// <returns>Who leads then.</returns>
    private static async Task<EdgeStatus> KillAsync(EdgeGroup group, IReadOnlyList<EdgeStatus> edges)
    {
        EdgeStatus killed = Leader(edges);

        LocalSystem.Kill(killed.Pid);
        IReadOnlyList<EdgeStatus> after = await group.AgreeAsync(killed.Epoch);

        after.ShouldNotContain(edge => edge.Id == killed.Id);
        after.Count(edge => edges.Any(old => old.Id == edge.Id && old.Pid == edge.Pid)).ShouldBe(EdgeGroup.Count - 1);
        return Leader(after);
    }

    /// <summary>SIGSTOP for longer than the lease, and SIGCONT: it follows the one that leads by then.</summary>
    /// <returns>Who leads then.</returns>
    private static async Task<EdgeStatus> StandStillAsync(EdgeGroup group, EdgeStatus still)
    {
        LocalSystem.Suspend(still.Pid);
        EdgeStatus next = Leader(await group.AgreeAsync(still.Epoch, without: still));
        LocalSystem.Resume(still.Pid);

        IReadOnlyList<EdgeStatus> edges = await group.AgreeAsync(still.Epoch);
        edges.ShouldContain(edge => edge.Id == still.Id && edge.Leader == next.Id && edge.Epoch == next.Epoch);
        return next;
    }

    private static EdgeStatus Leader(IReadOnlyList<EdgeStatus> edges) => edges.Single(edge => edge.Id == edge.Leader);

    private static int Setting(string name, int otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
}
