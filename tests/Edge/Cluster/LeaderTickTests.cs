using Microsoft.Extensions.Logging.Abstractions;
using OllamaMax.Cluster;
using OllamaMax.Edge.Cluster;
using OllamaMax.Edge.Cluster.Leading;
using OllamaMax.Leases;
using OllamaMax.TestKit.Simulation;

namespace OllamaMax.Edge.Tests.Cluster;

/// <summary>Ticks in virtual time, over a simulated storage.</summary>
public sealed class LeaderTickTests : IDisposable
{
    private static readonly ClusterOptions Options = new() { LeaseTime = TimeSpan.FromSeconds(15), Tick = TimeSpan.FromSeconds(5) };
    private static readonly TimeSpan Moment = TimeSpan.FromSeconds(1);

    private readonly VirtualWorld _world = new(seed: 1);
    private readonly SimulatedStorage _storage;
    private readonly VirtualNode _node;
    private readonly SimulatedAccess _access;
    private readonly LeaderMetrics _metrics = new();

    public LeaderTickTests()
    {
        _storage = new SimulatedStorage(_world);
        _node = new VirtualNode(_world, TimeSpan.Zero);
        _access = new SimulatedAccess(_world, _node, _storage, "a");
    }

    [Fact]
    public void Run_Leader_MakesThePassesThatAreDue()
    {
        Scripted often = new(TimeSpan.Zero), seldom = new(TimeSpan.FromMinutes(1));
        LeaderTick tick = Create(often, seldom);

        for (int i = 0; i < 5; i++)
        {
            Begin(tick);
            _world.Run(Options.Tick);
        }

        (often.Terms.Count, seldom.Terms.Count).ShouldBe((5, 1));
        often.Terms.ShouldAllBe(term => term.Epoch == 1 && term.Leader == "a");
    }

    [Fact]
    public void Run_Follower_MakesNone()
    {
        _storage.TryAcquire("other", Options.LeaseTime);
        Scripted reconciler = new(TimeSpan.Zero);

        Begin(Create(reconciler));
        _world.Run(Moment);

        reconciler.Terms.ShouldBeEmpty();
    }

    /// <param name="isTimeout">Storage's client and HTTP's say so that a request has taken too long.</param>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Run_OneFails_TheOthersMakeTheirs(bool isTimeout)
    {
        Scripted fails = new(TimeSpan.FromHours(1)) { Script = _ => throw (isTimeout ? new TaskCanceledException() : new StoreException("gone")) };
        Scripted works = new(TimeSpan.FromHours(1));
        LeaderTick tick = Create(fails, works);

        Begin(tick);
        _world.Run(Moment);
        Begin(tick);
        _world.Run(Moment);

        // What has not come through is due again.
        (fails.Terms.Count, works.Terms.Count).ShouldBe((2, 1));
    }

    /// <summary>The lease says that it leads and a document that it does not: it may have lost the lease and got it back without knowing.</summary>
    [Fact]
    public void Run_OneIsRefused_TheNextTickTakesTheNextEpoch()
    {
        Scripted refused = new(TimeSpan.FromHours(1)) { Script = _ => Task.FromResult(false) };
        LeaderTick tick = Create(refused);

        for (int i = 0; i < 2; i++)
        {
            Begin(tick);
            _world.Run(Moment);
        }

        refused.Terms.Select(term => term.Epoch).ShouldBe([1, 2]);
    }

    [Fact]
    public void Run_PassTakesLongerThanTheLease_TheLeaseIsRenewedMeanwhile()
    {
        TaskCompletionSource<bool> pass = new();
        CancellationToken token = default;
        Scripted slow = new(TimeSpan.Zero)
        {
            Script = stop =>
            {
                token = stop;
                return pass.Task;
            },
        };

        Task run = Begin(Create(slow));
        _world.Run(10 * Options.LeaseTime);

        token.IsCancellationRequested.ShouldBeFalse();
        _storage.TryAcquire("other", Options.LeaseTime).ShouldBeFalse();
        run.IsCompleted.ShouldBeFalse();
        _world.After(TimeSpan.Zero, () => pass.SetResult(true));
        _world.Run(Options.Tick);
        run.IsCompletedSuccessfully.ShouldBeTrue();
    }

    [Fact]
    public void Run_LeaseIsTakenDuringAPass_ThePassIsCancelledAndTheTickEnds()
    {
        TaskCompletionSource<bool> pass = new();
        Scripted slow = new(TimeSpan.Zero)
        {
            Script = stop =>
            {
                stop.UnsafeRegister(_ => pass.TrySetCanceled(stop), null);
                return pass.Task;
            },
        };
        Scripted next = new(TimeSpan.Zero);
        Task run = Begin(Create(slow, next));
        _world.Run(Moment);

        _storage.Break();
        _storage.TryAcquire("other", Options.LeaseTime);
        _world.Run(Options.Tick + Moment);

        run.IsCompletedSuccessfully.ShouldBeTrue();
        next.Terms.ShouldBeEmpty();
    }

    [Fact]
    public void Run_StorageAway_EndsAndLeadsWhenItIsBack()
    {
        Scripted reconciler = new(TimeSpan.Zero);
        LeaderTick tick = Create(reconciler);
        _access.IsCutOff = true;
        Task run = Begin(tick);
        _world.Run(Options.LeaseTime + Moment);
        run.IsCompletedSuccessfully.ShouldBeTrue();

        _access.IsCutOff = false;
        Begin(tick);
        _world.Run(Moment);

        reconciler.Terms.ShouldHaveSingleItem();
    }

    public void Dispose() => _metrics.Dispose();

    private LeaderTick Create(params Scripted[] reconcilers) => new(
        new LeaderElection("a", _access, new ClusterDocuments(_access).All, Options.LeaseTime, _node),
        reconcilers, _metrics, Microsoft.Extensions.Options.Options.Create(Options), _node, NullLogger<LeaderTick>.Instance);

    private Task Begin(LeaderTick tick)
    {
        Task? run = null;
        _world.After(TimeSpan.Zero, () => run = tick.RunAsync(CancellationToken.None));
        _world.Run(TimeSpan.Zero);
        return run!;
    }

    private sealed class Scripted(TimeSpan every) : IReconciler
    {
        public List<LeaderTerm> Terms { get; } = [];

        public Func<CancellationToken, Task<bool>> Script { get; init; } = _ => Task.FromResult(true);

        public string Name => "scripted";

        public TimeSpan Every => every;

        public Task<bool> ReconcileAsync(LeaderTerm term, CancellationToken cancellationToken)
        {
            Terms.Add(term);
            return Script(cancellationToken);
        }
    }
}
