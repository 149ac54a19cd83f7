using OllamaMax.Cluster;
using OllamaMax.Models;
using OllamaMax.Replication;

namespace OllamaMax.Core.Tests.Cluster;

public sealed class ClusterStateTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public void Observe_SilenceGrows_GoesFromAliveToSuspectToGoneAndBack()
    {
        ClusterState state = Observe(ClusterState.Empty, Views.Of("w1", 0 * Second));
        state.Members["w1"].ShouldBe(new("w1", WorkerState.Alive, Views.Now, []));

        state = Observe(state, Views.Of("w1", 26 * Second));
        (state.Members["w1"].State, state.Members["w1"].Since).ShouldBe((WorkerState.Suspect, Views.Now - Second));

        state = Observe(state, Views.Of("w1", 60 * Second));
        (state.Members["w1"].State, state.Members["w1"].Since).ShouldBe((WorkerState.Gone, Views.Now - (10 * Second)));

        state = Observe(state, Views.Of("w1", 2 * Second));
        (state.Members["w1"].State, state.Members["w1"].Since).ShouldBe((WorkerState.Alive, Views.Now - (2 * Second)));
    }

    [Fact]
    public void Observe_NothingChanges_IsTheSameInstance()
    {
        ClusterState state = Observe(ClusterState.Empty, Views.Of("w1", 5 * Second), Views.Of("w2", 30 * Second));

        Observe(state, Views.Of("w1", 0 * Second), Views.Of("w2", 31 * Second)).ShouldBeSameAs(state);
    }

    [Fact]
    public void Observe_GoneWhomNobodyKnew_IsNoMember() => Observe(ClusterState.Empty, Views.Of("w1", 60 * Second)).Members.ShouldBeEmpty();

    [Fact]
    public void Observe_GoneForAWeekOrNotListed_IsNoMemberAnyMore()
    {
        ClusterState state = Observe(ClusterState.Empty, Views.Of("w1", 0 * Second), Views.Of("w2", 0 * Second));

        Observe(state, Views.Of("w1", TimeSpan.FromDays(8))).Members.ShouldBeEmpty();
    }

    [Fact]
    public void Observe_ToDrainOrReportsIt_IsDraining()
    {
        ClusterState state = ClusterState.Empty.Apply(new ClusterCommand.Drain("c1", "w1", Views.Now));
        WorkerView says = Views.Of("w2", 0 * Second);

        state = Observe(state, state.View(Views.Of("w1", 0 * Second)), says with { Report = says.Report with { Draining = true } });

        state.Members.Values.ShouldAllBe(member => member.State == WorkerState.Draining);
    }

    [Fact]
    public void Observe_LeftInAnOrderlyWay_IsGoneSinceItSaidSo()
    {
        ClusterState state = Observe(ClusterState.Empty, Views.Of("w1", 5 * Second));
        WorkerView left = Views.Of("w1", 1 * Second);

        state = Observe(state, left with { Report = left.Report with { Left = true } });

        (state.Members["w1"].State, state.Members["w1"].Since).ShouldBe((WorkerState.Gone, Views.Now - Second));
    }

    [Fact]
    public void Revoke_WhateverItReports_IsGoneForGood()
    {
        ClusterState state = Observe(ClusterState.Empty, Views.Of("w1", 1 * Second)).Apply(new ClusterCommand.Revoke("c1", "w1", Views.Now));

        state = Observe(state, state.View(Views.Of("w1", 0 * Second)));

        state.Members["w1"].State.ShouldBe(WorkerState.Gone);
        state.View(Views.Of("w2", 0 * Second)).State.ShouldBe(WorkerState.Alive);
    }

    [Fact]
    public void Revoke_OfMoreThanAreKept_ForgetsTheOldest()
    {
        ClusterState state = ClusterState.Empty;
        for (int i = 0; i < 1001; i++)
            state = state.Apply(new ClusterCommand.Revoke($"c{i}", $"w{i}", Views.Now + (i * Second)));

        (state.Revoked.Count, state.Revoked.ContainsKey("w0"), state.Revoked.ContainsKey("w1000")).ShouldBe((1000, false, true));
    }

    [Fact]
    public void Drain_TriedAgainAfterItWasTakenBack_DoesNotComeBack()
    {
        ClusterCommand drain = new ClusterCommand.Drain("c1", "w1", Views.Now);
        ClusterState state = ClusterState.Empty.Apply(drain).Apply(new ClusterCommand.Undrain("c2", "w1"));

        state.Apply(drain).ShouldBeSameAs(state);

        state.Drains.ShouldBeEmpty();
    }

    [Fact]
    public void Drain_TwiceByTwoPeople_IsSinceTheFirst()
    {
        ClusterState state = ClusterState.Empty.Apply(new ClusterCommand.Drain("c1", "w1", Views.Now)).Apply(new ClusterCommand.Drain("c2", "w1", Views.Now + Second));

        state.Drains["w1"].ShouldBe(Views.Now);
        state.Commands.ShouldBe(["c1", "c2"]);
    }

    [Fact]
    public void Commands_Many_OnlyTheLastAreRemembered()
    {
        ClusterState state = ClusterState.Empty;
        for (int i = 0; i < 200; i++)
            state = state.Apply(new ClusterCommand.Undrain($"c{i}", "w1"));

        state.Commands.Count.ShouldBe(64);
        state.Commands[^1].ShouldBe("c199");
    }

    [Fact]
    public void SetPolicy_TriedAgainAfterItWasTakenBack_DoesNotComeBack()
    {
        string demo = ClusterState.PolicyKey(ModelName.Parse("Demo"));
        ClusterCommand set = new ClusterCommand.SetPolicy("c1", demo, new ModelPolicy { MinReplicas = 2 });
        ClusterState state = ClusterState.Empty.Apply(set);
        state.Policies["registry.ollama.ai/library/demo:latest"].MinReplicas.ShouldBe(2);

        state = state.Apply(new ClusterCommand.SetPolicy("c2", demo, null)).Apply(set);

        state.Policies.ShouldBeEmpty();
    }

    private static ClusterState Observe(ClusterState state, params WorkerView[] workers) => state.Apply(new ClusterCommand.Observe(workers));
}
