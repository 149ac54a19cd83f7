using Microsoft.Extensions.Options;
using OllamaMax.Edge.Cluster;
using OllamaMax.Edge.Dispatch;
using OllamaMax.Edge.Tenants;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Owning;
using OllamaMax.Placement;

namespace OllamaMax.Edge.Tests.Dispatch;

/// <summary>Who may wait, and who goes next; no worker is known, so a queue takes two messages at a time.</summary>
public sealed class BacklogTests
{
    private const string Model = "sha256:a";

    private readonly DispatchOptions _options = new();
    private readonly TenantOptions _tenants = new();
    private readonly Backlog _backlog;
    private int _jobs;

    public BacklogTests() =>
        _backlog = new Backlog(new WorkerDirectory(), Options.Create(_options), Options.Create(_tenants));

    [Fact]
    public void TakeNext_FloodOfOneTenant_TheOthersAreNextInTurn()
    {
        JobRun[] heavy = [.. Enumerable.Range(0, 50).Select(_ => Wait("heavy"))];
        Next().ShouldBe(heavy[..2]);
        Next().ShouldBeEmpty();

        JobRun light = Wait("light");
        JobRun other = Wait("other");

        _backlog.Left(heavy[0]);
        Next().ShouldHaveSingleItem().ShouldBe(light);
        _backlog.Left(heavy[1]);
        Next().ShouldHaveSingleItem().ShouldBe(other);
        _backlog.Left(light);
        Next().ShouldHaveSingleItem().ShouldBe(heavy[2]);
    }

    [Fact]
    public void TakeNext_Weights_AreTheShares()
    {
        _tenants.Limits["heavy"] = new TenantLimits { Weight = 3 };
        for (int i = 0; i < 60; i++)
        {
            Wait("heavy");
            Wait("light");
        }

        List<string> order = [];
        for (IReadOnlyList<JobRun> next = Next(); order.Count < 40; next = Next())
        {
            order.AddRange(next.Select(run => run.Job.Tenant));
            foreach (JobRun run in next)
                _backlog.Left(run);
        }

        order.Count(tenant => tenant == "heavy").ShouldBeInRange(29, 31);
    }

    [Fact]
    public void TakeNext_TenantHasAllItMay_WaitsForAnEndOfItsOwn()
    {
        _tenants.Limits["heavy"] = new TenantLimits { MaxInFlight = 1 };
        JobRun running = Begin("heavy");
        _backlog.MustWait(running).ShouldBeFalse();

        JobRun second = Begin("heavy");
        _backlog.MustWait(second).ShouldBeTrue();
        _backlog.Add(second).ShouldBeNull();
        Next().ShouldBeEmpty();
        // It waits for its own cap, not for a slot: nobody else has to wait for that.
        _backlog.MustWait(Begin("light")).ShouldBeFalse();

        _backlog.Ended(running);

        Next().ShouldHaveSingleItem().ShouldBe(second);
    }

    [Fact]
    public void TakeNext_AcceptedBefore_GoesFirstAndIsNeverRefused()
    {
        _options.MaxBacklog = 3;
        for (int i = 0; i < 3; i++)
            Wait("a");
        Next();

        JobRun resumed = Begin("a", isAccepted: true);
        _backlog.Add(resumed).ShouldBeNull();

        Next().ShouldHaveSingleItem().ShouldBe(resumed);
    }

    [Fact]
    public void Add_ItsWorkerCameToNothing_GoesFirstThoughTheBacklogIsFull()
    {
        _options.MaxBacklog = 3;
        JobRun claimed = Wait("a");
        Next();
        claimed.Owner.Start();
        claimed.Owner.Placed(workerId: null, TimeSpan.Zero);
        claimed.Owner.Claimed("w", "m", "p", TimeSpan.Zero);
        claimed.Owner.Prepared("n", TimeSpan.Zero);
        _backlog.Left(claimed);
        for (int i = 0; i < 3; i++)
            Wait("a");
        Next();

        claimed.Owner.Answered("w", "n", accepted: false, TimeSpan.Zero);
        claimed.Owner.Placed(workerId: null, TimeSpan.Zero);
        _backlog.Add(claimed).ShouldBeNull();

        Next().ShouldHaveSingleItem().ShouldBe(claimed);
    }

    [Fact]
    public void PutBack_ItsMessageDidNotGoIntoTheQueue_IsNextAgainUnlessItIsOver()
    {
        JobRun resumed = Begin("a", isAccepted: true);
        _backlog.Add(resumed).ShouldBeNull();
        Next().ShouldHaveSingleItem().ShouldBe(resumed);

        _backlog.PutBack(resumed).ShouldBeTrue();

        Next().ShouldHaveSingleItem().ShouldBe(resumed);
        _backlog.PutBack(resumed).ShouldBeTrue();
        _backlog.Ended(resumed);
        _backlog.PutBack(resumed).ShouldBeFalse();
        Next().ShouldBeEmpty();
    }

    [Fact]
    public void Add_TenantHasTooManyWaiting_IsRefusedAloneWithTheTimeItTakes()
    {
        _tenants.Limits["Default"] = new TenantLimits { MaxWaiting = 2 };
        _backlog.Answered(Model, TimeSpan.FromSeconds(6));
        Wait("heavy");
        Wait("heavy");

        JobError refusal = _backlog.Add(Begin("heavy")).ShouldNotBeNull();

        refusal.Kind.ShouldBe(JobErrorKind.OverLimit);
        refusal.Message.ShouldContain("'heavy'");
        refusal.RetryAfter.ShouldBe(TimeSpan.FromSeconds(12));
        _backlog.Add(Begin("light")).ShouldBeNull();
        // With another one waiting it has half of what the model does.
        _backlog.Add(Begin("heavy"))!.RetryAfter.ShouldBe(TimeSpan.FromSeconds(24));
    }

    [Fact]
    public void Add_BacklogIsFull_RefusesWhoFillsItAndLetsInWhoDoesNot()
    {
        _options.MaxBacklog = 4;
        for (int i = 0; i < 4; i++)
            Wait("heavy");

        _backlog.Add(Begin("heavy")).ShouldNotBeNull().Kind.ShouldBe(JobErrorKind.Busy);

        _backlog.Add(Begin("light")).ShouldBeNull();
        _backlog.Add(Begin("light")).ShouldBeNull();
        _backlog.Add(Begin("light")).ShouldNotBeNull().Kind.ShouldBe(JobErrorKind.Busy);
    }

    [Fact]
    public void TakeNext_TenantThatIsKeptToSomeWorkers_IsInNobodysWay()
    {
        PlacementRule berlin = new() { Policy = PlacementRule.Default.Policy };
        for (int i = 0; i < 5; i++)
            _backlog.Add(Begin("kept", rule: berlin)).ShouldBeNull();
        Next().Count.ShouldBe(2);

        JobRun free = Begin("free");

        _backlog.MustWait(free).ShouldBeFalse();
        _backlog.Add(free).ShouldBeNull();
        Next().ShouldHaveSingleItem().ShouldBe(free);
        _backlog.MustWait(Begin("other", rule: berlin)).ShouldBeTrue();
    }

    [Fact]
    public void Left_ThatWaits_IsNotTakenAnyMore()
    {
        JobRun[] runs = [.. Enumerable.Range(0, 4).Select(_ => Wait("a"))];
        Next();

        _backlog.Ended(runs[2]);
        _backlog.Ended(runs[0]);

        Next().ShouldHaveSingleItem().ShouldBe(runs[3]);
    }

    private IReadOnlyList<JobRun> Next() => _backlog.TakeNext();

    private JobRun Wait(string tenant)
    {
        JobRun run = Begin(tenant);
        _backlog.Add(run).ShouldBeNull();
        return run;
    }

    private JobRun Begin(string tenant, bool isAccepted = false, PlacementRule? rule = null)
    {
        Job job = new()
        {
            Id = $"job-{++_jobs}",
            RequestId = "r",
            Tenant = tenant,
            Placement = new(rule ?? PlacementRule.Default, default),
            Model = Model,
            Prompt = "hi",
            Options = new InferenceOptions(),
            Seed = 1,
            Deadline = TimeSpan.FromMinutes(1),
        };
        JobOwner owner = new(job, new OwnerOptions(), () => "n", TimeSpan.Zero);
        if (isAccepted)
        {
            owner.Start();
            owner.Placed("w", TimeSpan.Zero);
            owner.Prepared("n", TimeSpan.Zero);
            owner.Answered("w", "n", accepted: true, TimeSpan.Zero);
        }
        JobRun run = new(owner, new JobOutputLog(), TimeSpan.Zero);
        _backlog.Began(run);
        return run;
    }
}
