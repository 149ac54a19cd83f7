namespace OllamaMax.Core.Tests.Cluster.Elections;

/// <summary>The real election, lease and documents in virtual time, over a storage whose every write is looked at. Clocks differ by up to twenty minutes throughout.</summary>
public sealed class ElectionTests
{
    private const int Histories = 1200;
    private static readonly TimeSpan Moment = TimeSpan.FromSeconds(1);

    /// <summary>Pauses and delays longer than the lease, requests and answers lost, edges cut off, killed, ended; leases broken by hand.</summary>
    [Fact]
    public void Histories_RandomWeather_NoOldEpochIsWrittenAndOneLeadsInTheEnd()
    {
        int epochs = 0, refused = 0;
        for (int seed = 0; seed < Histories; seed++)
        {
            SimulatedElection election = new(seed);
            // More than once: what one storm leaves behind the next one may hide.
            for (int storm = 0; storm < 3; storm++)
            {
                election.RunThroughWeather(TimeSpan.FromSeconds(80));
                election.Run(TimeSpan.FromSeconds(90));

                election.History.Violations.ShouldBeEmpty($"seed {seed}");
                SimulatedEdge leader = election.Leaders.ShouldHaveSingleItem($"seed {seed}, storm {storm}");
                election.History.StandingEpochs.ShouldAllBe(epoch => epoch == leader.Epoch, $"seed {seed}, storm {storm}");
            }
            epochs += election.History.Epochs;
            refused += election.Refused;
        }

        // It would be no use if nothing had happened.
        epochs.ShouldBeGreaterThan(5 * Histories);
        refused.ShouldBeGreaterThan(Histories / 10);
    }

    /// <summary>The check itself: over a storage that takes every write it must find what the real one prevents.</summary>
    [Fact]
    public void Histories_StorageThatIgnoresTags_AreFoundWanting()
    {
        string[] found = [.. Enumerable.Range(0, 100).SelectMany(seed =>
        {
            SimulatedElection election = new(seed, ignoresTags: true);
            election.RunThroughWeather(TimeSpan.FromMinutes(4));
            return election.History.Violations;
        })];

        found.ShouldContain(violation => violation.Contains(" in epoch ", StringComparison.Ordinal));
    }

    [Fact]
    public void Kill_Leader_AnotherLeadsInTheNextEpochAfterTheLeaseAndATick()
    {
        SimulatedElection election = new(seed: 1);
        SimulatedEdge leader = election.Elect();
        long epoch = leader.Epoch!.Value;

        election.Kill(leader);
        election.Run(SimulatedElection.LeaseTime + SimulatedElection.TickTime + Moment);

        election.Leaders.ShouldHaveSingleItem().Epoch.ShouldBe(epoch + 1);
    }

    [Fact]
    public void Stop_Leader_AnotherLeadsAfterATick()
    {
        SimulatedElection election = new(seed: 2);
        SimulatedEdge leader = election.Elect();
        long epoch = leader.Epoch!.Value;

        election.Stop(leader);
        election.Run(SimulatedElection.TickTime + Moment);

        election.Leaders.ShouldHaveSingleItem().Epoch.ShouldBe(epoch + 1);
    }

    [Fact]
    public void Pause_LeaderBeyondItsLease_FollowsTheNewOneWhenItGoesOn()
    {
        SimulatedElection election = new(seed: 3);
        SimulatedEdge leader = election.Elect();
        long epoch = leader.Epoch!.Value;

        leader.Node.Pause();
        election.Run(SimulatedElection.LeaseTime + SimulatedElection.TickTime + Moment);
        long next = election.Leaders.ShouldHaveSingleItem().Epoch!.Value;
        leader.Node.Resume();
        election.Run(SimulatedElection.TickTime + Moment);

        next.ShouldBe(epoch + 1);
        leader.Epoch.ShouldBeNull();
        election.History.Violations.ShouldBeEmpty();
    }

    [Fact]
    public void BreakLease_ByHand_SomebodyLeadsInTheNextEpochAfterATick()
    {
        SimulatedElection election = new(seed: 4);
        long epoch = election.Elect().Epoch!.Value;

        election.BreakLease();
        election.Run(SimulatedElection.TickTime + Moment);

        election.Leaders.ShouldHaveSingleItem().Epoch.ShouldBe(epoch + 1);
    }

    /// <summary>Who leads is overtaken by an edge that has no lease, and keeps its own: being refused must tell it to take the next epoch.</summary>
    [Fact]
    public void BreakLease_BeforeItsTakerKnows_WhoHoldsItNextTakesTheLastEpoch()
    {
        SimulatedElection election = new(seed: 7);
        long epoch = election.Elect().Epoch!.Value;

        election.LoseLeaseOnceTaken(SimulatedElection.TickTime + (3 * Moment));
        election.BreakLease();
        election.Run(TimeSpan.FromMinutes(1));

        SimulatedEdge leader = election.Leaders.ShouldHaveSingleItem();
        leader.Epoch.ShouldBe(epoch + 3);
        election.History.StandingEpochs.ShouldAllBe(standing => standing == leader.Epoch);
        election.History.Violations.ShouldBeEmpty();
    }

    [Fact]
    public void Tick_NobodyDies_TheFirstLeaderLeadsOn()
    {
        SimulatedElection election = new(seed: 5);
        SimulatedEdge leader = election.Elect();

        election.Run(TimeSpan.FromHours(1));

        election.Leaders.ShouldHaveSingleItem().ShouldBe(leader);
        leader.Epoch.ShouldBe(1);
    }

    [Fact]
    public void CutOff_Leader_KnowsThatItLeadsNoMoreBeforeAnotherDoes()
    {
        SimulatedElection election = new(seed: 6);
        SimulatedEdge leader = election.Elect();

        leader.Access.IsCutOff = true;
        for (int i = 0; i < 300; i++)
        {
            election.Run(TimeSpan.FromSeconds(0.1));
            election.Leaders.Count.ShouldBeLessThanOrEqualTo(1);
        }

        election.Leaders.ShouldHaveSingleItem().ShouldNotBe(leader);
    }
}
