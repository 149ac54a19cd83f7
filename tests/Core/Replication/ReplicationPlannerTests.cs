using OllamaMax.Cluster;
using OllamaMax.Core.Tests.Cluster;
using OllamaMax.Replication;
using OllamaMax.Workers;

namespace OllamaMax.Core.Tests.Replication;

public sealed class ReplicationPlannerTests
{
    private const string Model = "sha256:m";
    private const string Other = "sha256:n";
    private static readonly TimeSpan ReplaceAfter = TimeSpan.FromMinutes(2);

    [Fact]
    public void Plan_FewerThanWanted_AreOrderedOfSitesThatHaveNone()
    {
        WorkerView[] workers = [Worker("a", site: "x", held: [Model]), Worker("b", site: "x"), Worker("c", site: "x"), Worker("d", site: "y"), Worker("e", site: "z")];

        ReplicationPlan plan = Plan(workers, new ModelPolicy { MinReplicas = 3 });

        plan.Orders.Select(orders => orders.WorkerId).ShouldBe(["d", "e"], ignoreOrder: true);
        plan.Orders.ShouldAllBe(orders => orders.Ensure.Single() == Model);
        plan.Models[Model].ShouldBe(new(Desired: 3, Actual: 1, InProgress: 2, BlockedBecause: null));
    }

    [Fact]
    public void Plan_WhatWasOrderedIsOnItsWay_NothingMoreIsOrdered()
    {
        WorkerView[] workers = [Worker("a"), Worker("b"), Worker("c")];
        string chosen = Plan(workers, new ModelPolicy { MinReplicas = 1 }).Orders.Single().WorkerId;
        Plan([.. workers.AsEnumerable().Reverse()], new ModelPolicy { MinReplicas = 1 }).Orders.Single().WorkerId.ShouldBe(chosen, "the order got lost");

        workers = [.. workers.Select(worker => worker.Report.Id == chosen ? Fetching(worker, Model) : worker)];

        ReplicationPlan plan = Plan(workers, new ModelPolicy { MinReplicas = 1 });
        plan.Orders.ShouldBeEmpty();
        plan.Models[Model].ShouldBe(new(Desired: 1, Actual: 0, InProgress: 1, BlockedBecause: null));
    }

    [Theory]
    [InlineData(30, 0)]
    [InlineData(50 + 119, 0)]
    [InlineData(50 + 121, 1)]
    public void Plan_HolderFallsSilent_IsReplacedWhenItStaysAway(int seconds, int ordered)
    {
        WorkerView[] workers = [Worker("a", held: [Model], age: TimeSpan.FromSeconds(seconds)), Worker("b")];

        Plan(workers, new ModelPolicy { MinReplicas = 1 }).Orders.Count.ShouldBe(ordered);
    }

    [Theory]
    [InlineData(119, 0)]
    [InlineData(121, 1)]
    public void Plan_HolderHasSaidGoodbye_IsReplacedWhenItDoesNotComeBack(int seconds, int ordered)
    {
        WorkerView left = Worker("a", held: [Model], age: TimeSpan.FromSeconds(seconds));
        left = left with { Report = left.Report with { Left = true } };

        Plan([left, Worker("b")], new ModelPolicy { MinReplicas = 1 }).Orders.Count.ShouldBe(ordered);
    }

    [Fact]
    public void Plan_HolderIsDrained_AnotherIsOrderedAtOnce()
    {
        WorkerView[] workers = [Worker("a", held: [Model]) with { IsToDrain = true }, Worker("b")];

        ReplicationPlan plan = Plan(workers, new ModelPolicy { MinReplicas = 1 });

        plan.Orders.Single().WorkerId.ShouldBe("b");
        plan.Models[Model].Actual.ShouldBe(0);
    }

    [Fact]
    public void Plan_TheOnlyCopyIsWhereItDoesNotCount_SaysWhy()
    {
        ModelPolicy policy = new() { MinReplicas = 1, Labels = new Dictionary<string, string> { ["site"] = "y" } };

        ModelReplication state = Plan([Worker("a", site: "x", held: [Model])], policy).Models[Model];

        state.BlockedBecause.ShouldBe("1 more worker is needed: 1 without its labels");
    }

    [Fact]
    public void Plan_NobodyCan_SaysWhy()
    {
        WorkerView[] workers =
        [
            Worker("a", site: "x"),
            Worker("b", site: "y", room: 10),
            Failed(Worker("c", site: "y"), Model, "the disk is full"),
            Worker("d", site: "y") with { IsToDrain = true },
        ];
        ModelPolicy policy = new() { MinReplicas = 2, Labels = new Dictionary<string, string> { ["site"] = "Y" } };

        ModelReplication state = Plan(workers, policy).Models[Model];

        state.BlockedBecause.ShouldBe("2 more workers are needed: 1 without its labels, 1 with too little disk for it, 1 failed (the disk is full), 1 draining");
    }

    [Fact]
    public void Plan_MoreThanTheMost_IdleOnesGoAndThoseInMemoryStay()
    {
        WorkerView loaded = Worker("a", held: [Model]);
        loaded = loaded with { Report = loaded.Report with { Models = [new HeldModel(Model, Loaded: true)] } };
        WorkerView[] workers = [loaded, Worker("b", held: [Model]), Worker("c", held: [Model])];

        ReplicationPlan plan = Plan(workers, new ModelPolicy { MinReplicas = 1, MaxReplicas = 1 });

        plan.Orders.Select(orders => (orders.WorkerId, orders.Evict.Single())).ShouldBe([("b", Model), ("c", Model)], ignoreOrder: true);
    }

    [Fact]
    public void Plan_BetweenLeastAndMost_NothingIsDone() =>
        Plan([Worker("a", held: [Model]), Worker("b", held: [Model])], new ModelPolicy { MinReplicas = 1, MaxReplicas = 3 }).Orders.ShouldBeEmpty();

    [Fact]
    public void Plan_PinnedOrNoMore_TellsThoseThatHoldIt()
    {
        WorkerView pinned = Worker("b", held: [Model]);
        pinned = pinned with { Report = pinned.Report with { Models = [new HeldModel(Model, Loaded: false) { Pinned = true }] } };

        Plan([Worker("a", held: [Model]), pinned], new ModelPolicy { Pin = true }).Orders.ShouldHaveSingleItem().ShouldSatisfyAllConditions(
            orders => orders.WorkerId.ShouldBe("a"), orders => orders.Pinned.ShouldBe([Model]));
        Plan([Worker("a", held: [Model]), pinned], new ModelPolicy()).Orders.ShouldHaveSingleItem().ShouldSatisfyAllConditions(
            orders => orders.WorkerId.ShouldBe("b"), orders => orders.Pinned.ShouldBeEmpty());
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    public void Plan_RoomForOneOfTwo_TheOtherIsOrderedOnlyWhereItMattersMore(int priority, int ordered)
    {
        WorkerView worker = Worker("a", held: [Other], room: 0, evictable: 100);
        PolicedModel[] models =
        [
            new(Other, 100, [new ModelPolicy { MinReplicas = 1 }]),
            new(Model, 100, [new ModelPolicy { MinReplicas = 1, Priority = priority }]),
        ];

        ReplicationPlan plan = ReplicationPlanner.Plan(models, [worker], ReplaceAfter);

        plan.Orders.Count.ShouldBe(ordered);
        (plan.Models[Model].BlockedBecause is null).ShouldBe(ordered == 1);
    }

    [Fact]
    public void Plan_TwoNamesWithLabelsOfTheirOwn_EachHasItsCopies()
    {
        ModelPolicy inX = new() { MinReplicas = 1, MaxReplicas = 1, Labels = new Dictionary<string, string> { ["site"] = "x" } };
        ModelPolicy inY = inX with { Labels = new Dictionary<string, string> { ["site"] = "y" } };
        WorkerView[] workers = [Worker("a", site: "x", held: [Model]), Worker("b", site: "y")];

        ReplicationPlan plan = ReplicationPlanner.Plan([new(Model, 100, [inX, inY])], workers, ReplaceAfter);

        ReplicaOrders orders = plan.Orders.ShouldHaveSingleItem();
        (orders.WorkerId, orders.Evict.Count).ShouldBe(("b", 0));
    }

    [Fact]
    public void Plan_PreferredAndExcludedSites_GoFirstAndNever()
    {
        WorkerView[] workers = [Worker("a", site: "x"), Worker("b", site: "y"), Worker("c", site: "z"), Worker("d", site: "z")];
        ModelPolicy policy = new() { MinReplicas = 2, ExcludedLabels = Labels("X"), PreferredLabels = Labels("q", "Z") };

        Plan(workers, policy).Orders.Select(orders => orders.WorkerId).ShouldBe(["c", "d"], ignoreOrder: true);
        Plan(workers, policy with { MinReplicas = 3 }).Orders.Select(orders => orders.WorkerId).ShouldBe(["b", "c", "d"], ignoreOrder: true);
        ModelReplication four = Plan(workers, policy with { MinReplicas = 4 }).Models[Model];
        (four.InProgress, four.BlockedBecause).ShouldBe((3, "1 more worker is needed: 1 excluded"));
    }

    [Fact]
    public void Plan_CopiesTooMany_ExcludedGoFirstAndPreferredLast()
    {
        WorkerView[] workers = [Worker("a", site: "x", held: [Model]), Worker("b", site: "y", held: [Model]), Worker("c", site: "z", held: [Model])];
        ModelPolicy policy = new() { MinReplicas = 1, MaxReplicas = 2, ExcludedLabels = Labels("y"), PreferredLabels = Labels("z") };

        Plan(workers, policy).Orders.ShouldHaveSingleItem().ShouldSatisfyAllConditions(orders => orders.WorkerId.ShouldBe("b"), orders => orders.Evict.ShouldBe([Model]));
        Plan(workers, policy with { MaxReplicas = 1 }).Orders.Select(orders => orders.WorkerId).ShouldBe(["a", "b"], ignoreOrder: true);
    }

    [Fact]
    public void Plan_Warm_KeepsAsManyInMemoryAsThereAreToBeAndThoseThatAreThere()
    {
        ModelPolicy policy = new() { MinReplicas = 1, Warm = true };
        WorkerView[] cold = [Worker("a", held: [Model]), Worker("b", held: [Model]), Worker("c")];
        ReplicaOrders first = Plan(cold, policy).Orders.ShouldHaveSingleItem();
        first.Warm.ShouldBe([Model]);

        WorkerView[] told = [.. cold.Select(worker => worker.Report.Id == first.WorkerId ? Held(worker, new HeldModel(Model, Loaded: false) { Warm = true }) : worker)];
        Plan(told, policy).Orders.ShouldHaveSingleItem("it had no room, and may have it now").WorkerId.ShouldBe(first.WorkerId);
        Plan(told, policy).Models[Model].Warm.ShouldBe(0);

        WorkerView[] warm = [.. cold.Select(worker => worker.Report.Id == first.WorkerId ? Held(worker, new HeldModel(Model, Loaded: true) { Warm = true }) : worker)];
        Plan(warm, policy).Orders.ShouldBeEmpty();
        Plan(warm, policy).Models[Model].Warm.ShouldBe(1);

        Plan(warm, policy with { Warm = false }).Orders.ShouldHaveSingleItem().ShouldSatisfyAllConditions(
            orders => orders.WorkerId.ShouldBe(first.WorkerId), orders => orders.Warm.ShouldBeEmpty());
        Plan(warm, policy).Models[Model].ShouldBe(Plan(warm, policy with { Warm = false }).Models[Model] with { Warm = 1 });
    }

    [Fact]
    public void Plan_AnotherSpeaksForTheDisk_TheOneBeforeKeepsNothing()
    {
        WorkerView before = Held(OnDisk("d", Worker("b")), new HeldModel(Model, Loaded: true) { Warm = true });
        WorkerView[] workers = [OnDisk("d", Worker("a", held: [Model])), before];

        Plan(workers, new ModelPolicy { MinReplicas = 1, Warm = true }).Orders.Select(orders => (orders.WorkerId, orders.Warm.Count)).ShouldBe([("a", 1), ("b", 0)]);
    }

    private static Dictionary<string, IReadOnlyList<string>> Labels(params string[] sites) => new() { ["site"] = sites };

    private static WorkerView Held(WorkerView worker, HeldModel model) => worker with { Report = worker.Report with { Models = [model] } };

    [Fact]
    public void Plan_WorkersThatShareADisk_AreOne()
    {
        WorkerView[] workers = [OnDisk("d", Worker("a", held: [Model])), OnDisk("d", Worker("b", held: [Model])), OnDisk("e", Worker("c"))];

        ReplicationPlan two = Plan(workers, new ModelPolicy { MinReplicas = 2 });
        ReplicationPlan one = Plan(workers, new ModelPolicy { MinReplicas = 1, MaxReplicas = 1 });

        two.Orders.ShouldHaveSingleItem().WorkerId.ShouldBe("c");
        two.Models[Model].Actual.ShouldBe(1);
        one.Orders.ShouldBeEmpty("deleting one worker's would delete the other's");
    }

    /// <summary>Their names are gone, and with these the policies that pinned them.</summary>
    [Fact]
    public void Plan_CopiesThatNobodyNeeds_GoWhereNobodyRunsThem()
    {
        HashSet<string> unneeded = [Other];
        WorkerView idle = Held(Worker("a"), new HeldModel(Other, Loaded: false) { Pinned = true });
        WorkerView running = Held(Worker("b"), new HeldModel(Other, Loaded: true)), loading = Held(Worker("c"), new HeldModel(Other, Loaded: false) { LoadingPercent = 3 });
        WorkerView[] workers = [idle, running, loading, Worker("d", held: [Other], age: TimeSpan.FromHours(1)), Worker("e", held: [Model])];

        ReplicationPlan plan = ReplicationPlanner.Plan([new(Model, 100, [new ModelPolicy()])], workers, ReplaceAfter, unneeded);

        plan.Orders.ShouldHaveSingleItem().ShouldSatisfyAllConditions(
            orders => orders.WorkerId.ShouldBe("a"), orders => orders.Evict.ShouldBe([Other]), orders => orders.Pinned.ShouldBeEmpty());
    }

    /// <summary>A worker of an older version has more copies than it reports, and unpins what it is not told of.</summary>
    [Fact]
    public void Plan_PinnedCopiesThatAreNotReported_AreToldAsWell()
    {
        PolicedModel[] models = [new(Model, 100, [new ModelPolicy { Pin = true }]), new(Other, 100, [new ModelPolicy { Pin = true }])];

        ReplicationPlanner.Plan(models, [Worker("a", held: [Model])], ReplaceAfter).Orders.ShouldHaveSingleItem().Pinned.ShouldBe([Model, Other]);
        ReplicationPlanner.Plan(models, [Held(Worker("a"), new HeldModel(Model, Loaded: false) { Pinned = true })], ReplaceAfter).Orders.ShouldBeEmpty();
    }

    /// <summary>Nothing that it was told would ever show in its reports.</summary>
    [Fact]
    public void Plan_DiskCannotBeWritten_IsToldNothingAndSaidWhy()
    {
        WorkerView worker = Worker("a", held: [Other]);
        worker = worker with { Report = worker.Report with { DiskError = "Read-only file system" } };

        ReplicationPlan plan = ReplicationPlanner.Plan(
            [new(Model, 100, [new ModelPolicy { MinReplicas = 1 }]), new(Other, 100, [new ModelPolicy { Pin = true, MaxReplicas = 0 }])], [worker], ReplaceAfter, new HashSet<string> { Other });

        plan.Orders.ShouldBeEmpty();
        plan.Models[Model].BlockedBecause.ShouldBe("1 more worker is needed: 1 failed (Read-only file system)");
    }

    /// <summary>One of them may not have tried, or may only read there.</summary>
    [Fact]
    public void Plan_DiskThatOnlyTheWorkerThatIsToldCannotWrite_IsToldNothingWhicheverReportIsNewest()
    {
        WorkerView told = OnDisk("d", Worker("a", age: TimeSpan.FromSeconds(5)));
        told = told with { Report = told.Report with { DiskError = "Read-only file system" } };
        WorkerView other = OnDisk("d", Worker("b"));

        ReplicationPlan plan = Plan([told, other], new ModelPolicy { MinReplicas = 1 });
        ReplicationPlan reverse = Plan([OnDisk("d", Worker("a", age: TimeSpan.FromSeconds(10))), told with { Report = told.Report with { Id = "b" } }], new ModelPolicy { MinReplicas = 1 });

        plan.Orders.ShouldBeEmpty();
        plan.Models[Model].BlockedBecause.ShouldBe("1 more worker is needed: 1 failed (Read-only file system)");
        reverse.Orders.ShouldHaveSingleItem().Ensure.ShouldBe([Model]);
    }

    private static WorkerView OnDisk(string disk, WorkerView worker) => worker with { Report = worker.Report with { Disk = disk } };

    private static ReplicationPlan Plan(IReadOnlyList<WorkerView> workers, ModelPolicy policy) =>
        ReplicationPlanner.Plan([new(Model, 100, [policy])], workers, ReplaceAfter);

    private static WorkerView Worker(string id, string? site = null, string[]? held = null, TimeSpan age = default, long? room = null, long? evictable = null)
    {
        WorkerView view = Views.Of(id, age);
        return view with
        {
            Report = view.Report with { Site = site, Models = [.. (held ?? []).Select(digest => new HeldModel(digest, Loaded: false))], DiskRoom = room, DiskEvictable = evictable },
        };
    }

    private static WorkerView Fetching(WorkerView worker, string digest) =>
        worker with { Report = worker.Report with { Transfers = [new ReplicaTransfer(digest, 1, 100, 1)] } };

    private static WorkerView Failed(WorkerView worker, string digest, string error) =>
        worker with { Report = worker.Report with { Transfers = [new ReplicaTransfer(digest, 1, 100, 1) { Error = error }] } };
}
