using OllamaMax.Cluster;
using OllamaMax.Leases;

namespace OllamaMax.TestKit.Simulation;

/// <summary>A node's way to a <see cref="SimulatedStorage"/>: requests take their time, some far too long, and may be lost before they are carried out or after.</summary>
/// <param name="writer">For the history.</param>
public sealed class SimulatedAccess(VirtualWorld world, VirtualNode node, SimulatedStorage storage, string writer) : ILeaseStore, IDocumentStore
{
    /// <summary>No request is carried out, and no answer comes back.</summary>
    public bool IsCutOff { get; set; }

    /// <summary>Probability that a request, or its answer, is lost.</summary>
    public double Losses { get; set; }

    /// <summary>Probability that a request takes up to a minute and a half to arrive.</summary>
    public double Delays { get; set; }

    /// <summary>Put behind the writer's name in the history.</summary>
    public string Purpose { get; set; } = "";

    /// <summary>The node has got the lease, and does not know yet.</summary>
    public event Action? Acquired;

    public Task<bool> TryAcquireAsync(string id, TimeSpan duration, CancellationToken cancellationToken) => CallAsync(
        () =>
        {
            bool isTaken = storage.TryAcquire(id, duration);
            if (isTaken)
                Acquired?.Invoke();
            return isTaken;
        },
        cancellationToken);

    public Task<bool> TryRenewAsync(string id, CancellationToken cancellationToken) => CallAsync(() => storage.TryRenew(id), cancellationToken);

    public Task ReleaseAsync(string id, CancellationToken cancellationToken) => CallAsync(() => storage.Release(id), cancellationToken);

    public Task<StoredDocument?> ReadAsync(string name, StoredDocument? known, CancellationToken cancellationToken) =>
        CallAsync(() => storage.Read(name, known), cancellationToken);

    public Task<StoredDocument?> WriteAsync(string name, ReadOnlyMemory<byte> content, StoredDocument? basis, CancellationToken cancellationToken)
    {
        string by = writer + Purpose;
        return CallAsync(() => storage.Write(name, content, basis, by), cancellationToken);
    }

    private Task<T> CallAsync<T>(Func<T> carryOut, CancellationToken cancellationToken)
    {
        // Continuations run at once, inside the event: the world has one thread.
        TaskCompletionSource<T> answer = new();
        cancellationToken.UnsafeRegister(_ => answer.TrySetCanceled(cancellationToken), null);
        TimeSpan way = world.Chance(Delays) ? world.Between(5, 90) : world.Between(0.002, 0.05);
        world.After(way, () =>
        {
            if (IsCutOff || world.Chance(Losses))
            {
                Fail(answer);
                return;
            }
            T result = carryOut();
            if (IsCutOff || world.Chance(Losses))
                Fail(answer);
            else
                world.After(world.Between(0.002, 0.05), () => node.Deliver(() => answer.TrySetResult(result)));
        });
        return answer.Task;
    }

    private void Fail<T>(TaskCompletionSource<T> answer) =>
        world.After(world.Between(0.1, 10), () => node.Deliver(() => answer.TrySetException(new StoreException("no answer"))));
}
