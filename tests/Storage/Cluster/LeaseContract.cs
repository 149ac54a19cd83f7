using OllamaMax.Leases;

namespace OllamaMax.Storage.Tests.Cluster;

/// <summary>What every <see cref="ILeaseStore"/> does; the simulated one, which the election is tested over, and storage's.</summary>
public abstract class LeaseContract
{
    protected static readonly TimeSpan Duration = TimeSpan.FromSeconds(15);

    private readonly string _one = Guid.NewGuid().ToString();
    private readonly string _other = Guid.NewGuid().ToString();

    protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>A lease that nobody holds.</summary>
    protected abstract ILeaseStore Create();

    /// <summary>As an operator would.</summary>
    protected abstract Task BreakAsync(ILeaseStore lease);

    /// <summary>Ends when the one lease has run out; then so has every other that was taken before it.</summary>
    protected abstract Task WaitUntilRunOutAsync(ILeaseStore lease, string nextId);

    [Fact]
    public async Task TryAcquire_HeldByAnother_IsFalse()
    {
        ILeaseStore lease = Create();

        (await lease.TryAcquireAsync(_one, Duration, Cancellation)).ShouldBeTrue();

        (await lease.TryAcquireAsync(_other, Duration, Cancellation)).ShouldBeFalse();
        (await lease.TryRenewAsync(_other, Cancellation)).ShouldBeFalse();
    }

    [Fact]
    public async Task TryAcquire_HeldByTheSame_IsTrue()
    {
        ILeaseStore lease = Create();
        await lease.TryAcquireAsync(_one, Duration, Cancellation);

        (await lease.TryAcquireAsync(_one, Duration, Cancellation)).ShouldBeTrue("an answer that was lost is asked for again");
    }

    [Fact]
    public async Task TryRenew_NeverHeld_IsFalse() => (await Create().TryRenewAsync(_one, Cancellation)).ShouldBeFalse();

    [Fact]
    public async Task Release_Held_AnotherHasItAtOnce()
    {
        ILeaseStore lease = Create();
        await lease.TryAcquireAsync(_one, Duration, Cancellation);

        await lease.ReleaseAsync(_one, Cancellation);

        (await lease.TryRenewAsync(_one, Cancellation)).ShouldBeFalse();
        (await lease.TryAcquireAsync(_other, Duration, Cancellation)).ShouldBeTrue();
    }

    [Fact]
    public async Task Release_OfAnother_ChangesNothing()
    {
        ILeaseStore lease = Create();
        await lease.TryAcquireAsync(_one, Duration, Cancellation);

        await lease.ReleaseAsync(_other, Cancellation);

        (await lease.TryRenewAsync(_one, Cancellation)).ShouldBeTrue();
    }

    [Fact]
    public async Task Break_ByHand_IsLostAndAnotherHasItAtOnce()
    {
        ILeaseStore lease = Create();
        await lease.TryAcquireAsync(_one, Duration, Cancellation);

        await BreakAsync(lease);

        (await lease.TryRenewAsync(_one, Cancellation)).ShouldBeFalse();
        (await lease.TryAcquireAsync(_other, Duration, Cancellation)).ShouldBeTrue();
    }

    /// <summary>Takes the lease's time, 15 s of storage's, once for both.</summary>
    [Fact]
    public async Task TryRenew_RunOut_IsTrueOnlyWhereNobodyHasTakenIt()
    {
        ILeaseStore untaken = Create(), taken = Create();
        await untaken.TryAcquireAsync(_one, Duration, Cancellation);
        await taken.TryAcquireAsync(_one, Duration, Cancellation);

        await WaitUntilRunOutAsync(taken, _other);

        (await taken.TryRenewAsync(_one, Cancellation)).ShouldBeFalse();
        (await untaken.TryRenewAsync(_one, Cancellation)).ShouldBeTrue();
        (await untaken.TryAcquireAsync(_other, Duration, Cancellation)).ShouldBeFalse();
    }
}
