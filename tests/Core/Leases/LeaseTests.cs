using OllamaMax.Leases;
using OllamaMax.TestKit.Simulation;

namespace OllamaMax.Core.Tests.Leases;

public sealed class LeaseTests
{
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(15);

    private readonly VirtualWorld _world = new(seed: 1);
    private readonly SimulatedStorage _storage;
    private readonly VirtualNode _node;
    private readonly SimulatedAccess _access;

    public LeaseTests()
    {
        _storage = new SimulatedStorage(_world);
        _node = new VirtualNode(_world, skew: TimeSpan.FromMinutes(-7));
        _access = new SimulatedAccess(_world, _node, _storage, "a");
    }

    [Fact]
    public void TryAcquire_HeldByAnother_IsNull()
    {
        _storage.TryAcquire("other", Duration);

        End(() => Lease.TryAcquireAsync(_access, "me", Duration, _node, CancellationToken.None)).ShouldBeNull();
    }

    [Fact]
    public void Lost_NoRenewal_IsCancelledBeforeAnotherCanHaveIt()
    {
        Lease lease = Acquire();

        for (TimeSpan step = TimeSpan.FromSeconds(0.05); !lease.Lost.IsCancellationRequested;)
        {
            _storage.TryAcquire("other", Duration).ShouldBeFalse();
            _world.Run(step);
        }

        _world.Now.ShouldBe(Duration, TimeSpan.FromSeconds(0.2));
    }

    [Fact]
    public void Lost_RenewedInTime_IsNotCancelled()
    {
        Lease lease = Acquire();
        CancellationToken lost = lease.Lost;

        for (int i = 0; i < 10; i++)
        {
            _world.Run(Duration - TimeSpan.FromSeconds(1));
            Renew(lease).ShouldBeTrue();
        }

        lost.IsCancellationRequested.ShouldBeFalse();
        lease.ExpiresAt.ShouldBe(_node.GetUtcNow() + Duration, TimeSpan.FromSeconds(2));
    }

    [Fact]
    public void TryRenew_TakenByAnother_IsLostForGood()
    {
        Lease lease = Acquire();
        _storage.Break();
        _storage.TryAcquire("other", Duration);

        Renew(lease).ShouldBeFalse();

        lease.Lost.IsCancellationRequested.ShouldBeTrue();
    }

    [Fact]
    public void TryRenew_RunOutAndNobodyHasTakenIt_HasANewToken()
    {
        Lease lease = Acquire();
        CancellationToken before = lease.Lost;
        _world.Run(TimeSpan.FromMinutes(1));

        Renew(lease).ShouldBeTrue();

        before.IsCancellationRequested.ShouldBeTrue();
        lease.Lost.IsCancellationRequested.ShouldBeFalse();
    }

    /// <summary>Storage counts from when it was asked, which may be long before the answer is there.</summary>
    [Fact]
    public async Task TryRenew_AnswerComesAfterItHasRunOutAgain_StaysLost()
    {
        Lease lease = Acquire();
        Task<bool> renewed = Begin(() => lease.TryRenewAsync(CancellationToken.None));
        _node.Pause();
        _world.Run(Duration + TimeSpan.FromSeconds(1));
        _node.Resume();
        _world.Run(TimeSpan.Zero);

        (await renewed).ShouldBeTrue();

        lease.Lost.IsCancellationRequested.ShouldBeTrue();
    }

    [Fact]
    public void Dispose_Held_OthersCanHaveItAtOnce()
    {
        Lease lease = Acquire();

        End(() => DisposeAsync(lease));

        lease.Lost.IsCancellationRequested.ShouldBeTrue();
        _storage.TryAcquire("other", Duration).ShouldBeTrue();
    }

    [Fact]
    public async Task Dispose_StorageAway_EndsAllTheSame()
    {
        Lease lease = Acquire();
        _access.IsCutOff = true;

        Task<bool> disposed = Begin(() => DisposeAsync(lease));
        _world.Run(TimeSpan.FromSeconds(2));

        disposed.IsCompleted.ShouldBeTrue();
        (await disposed).ShouldBeTrue();
    }

    private static async Task<bool> DisposeAsync(Lease lease)
    {
        await lease.DisposeAsync();
        return true;
    }

    private Lease Acquire() => End(() => Lease.TryAcquireAsync(_access, "me", Duration, _node, CancellationToken.None)).ShouldNotBeNull();

    private bool Renew(Lease lease) => End(() => lease.TryRenewAsync(CancellationToken.None));

    private Task<T> Begin<T>(Func<Task<T>> call)
    {
        Task<T>? task = null;
        _world.After(TimeSpan.Zero, () => task = call());
        _world.Run(TimeSpan.Zero);
        return task!;
    }

    private T End<T>(Func<Task<T>> call)
    {
        Task<T> task = Begin(call);
        _world.Run(TimeSpan.FromSeconds(0.2));
        task.IsCompleted.ShouldBeTrue();
        return task.Result;
    }
}
