using OllamaMax.Cluster;
using OllamaMax.Core.Tests.Cluster;
using OllamaMax.Replication;
using OllamaMax.Workers;

namespace OllamaMax.Core.Tests.Replication;

/// <summary>A worker in virtual time, as far as its copies go: it reports every 10 s, hears most orders, takes a while for each copy, and deletes what was not used for longest where its disk ends.</summary>
internal sealed class SimulatedBox(string id, string site, long disk, Random random)
{
    public const long ModelBytes = 100;
    private const int CopyTakes = 3;

    private readonly Dictionary<string, int> _copying = [];
    private readonly List<string> _held = [];
    private readonly HashSet<string> _pinned = [];
    private readonly HashSet<string> _warm = [];
    private WorkerReport _reported = Views.Report(id) with { Site = site, DiskRoom = disk, DiskEvictable = 0 };
    private TimeSpan _reportedAt;

    public string Id => id;

    /// <summary>Until then it is switched off.</summary>
    public TimeSpan OffUntil { get; set; }

    /// <summary>Copies begun so far.</summary>
    public int Begun { get; private set; }

    public WorkerView View(TimeSpan now) => new(_reported, now - _reportedAt) { HeartbeatAt = Views.Now + _reportedAt };

    public void Step(TimeSpan now)
    {
        if (now < OffUntil)
            return;
        foreach (string digest in _copying.Keys.ToList())
        {
            if (--_copying[digest] > 0)
                continue;
            _copying.Remove(digest);
            _held.Add(digest);
        }
        _reportedAt = now;
        _reported = _reported with
        {
            Models = [.. _held.Select(digest => new HeldModel(digest, Loaded: _warm.Contains(digest)) { Pinned = _pinned.Contains(digest) ? true : null, Warm = _warm.Contains(digest) ? true : null })],
            Transfers = _copying.Count == 0 ? null : [.. _copying.Keys.Select(digest => new ReplicaTransfer(digest, 0, ModelBytes, 1))],
            DiskRoom = disk - (_held.Count * ModelBytes),
            DiskEvictable = _held.Except(_pinned).Count() * ModelBytes,
        };
    }

    public void Hear(ReplicaOrders orders, TimeSpan now)
    {
        if (now < OffUntil || random.NextDouble() < 0.2)
            return;
        _held.RemoveAll(orders.Evict.Contains);
        _pinned.Clear();
        _pinned.UnionWith(orders.Pinned);
        _warm.Clear();
        _warm.UnionWith(orders.Warm);
        foreach (string digest in orders.Ensure.Where(digest => !_held.Contains(digest) && !_copying.ContainsKey(digest)))
        {
            while ((_held.Count + _copying.Count + 1) * ModelBytes > disk && _held.Find(other => !_pinned.Contains(other)) is { } victim)
                _held.Remove(victim);
            if ((_held.Count + _copying.Count + 1) * ModelBytes > disk)
                continue;
            _copying[digest] = CopyTakes;
            Begun++;
        }
    }
}
