using OllamaMax.Leases;
using OllamaMax.TestKit.Simulation;

namespace OllamaMax.Storage.Tests.Cluster;

public sealed class SimulatedLeaseTests : LeaseContract
{
    private readonly VirtualWorld _world = new(seed: 1);

    protected override ILeaseStore Create() => new Direct(new SimulatedStorage(_world));

    protected override Task BreakAsync(ILeaseStore lease)
    {
        ((Direct)lease).Storage.Break();
        return Task.CompletedTask;
    }

    protected override Task WaitUntilRunOutAsync(ILeaseStore lease, string nextId)
    {
        _world.Run(Duration);
        return lease.TryAcquireAsync(nextId, Duration, Cancellation);
    }

    /// <summary>The storage without a way to it.</summary>
    private sealed record Direct(SimulatedStorage Storage) : ILeaseStore
    {
        public Task<bool> TryAcquireAsync(string id, TimeSpan duration, CancellationToken cancellationToken) => Task.FromResult(Storage.TryAcquire(id, duration));

        public Task<bool> TryRenewAsync(string id, CancellationToken cancellationToken) => Task.FromResult(Storage.TryRenew(id));

        public Task ReleaseAsync(string id, CancellationToken cancellationToken) => Task.FromResult(Storage.Release(id));
    }
}
