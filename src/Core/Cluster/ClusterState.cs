using OllamaMax.Models;
using OllamaMax.Replication;

namespace OllamaMax.Cluster;

/// <summary>
/// What the cluster knows beyond the heartbeats: its members, as the leader has seen them change, and what people wish. A state machine without clock, chance or
/// I/O: <see cref="Apply"/> answers what it is after a command, the same instance where that changes nothing.
/// </summary>
public sealed record ClusterState
{
    /// <summary>Wishes are remembered by their command for as long as that many others follow: longer than any of them is tried again.</summary>
    private const int CommandsKept = 64;

    /// <summary>What a revoked worker holds is worth nothing after a quarter of an hour; so many are not revoked in that time.</summary>
    private const int RevokedKept = 1000;

    /// <summary>Who has been gone for so long is no member any more, and its heartbeat is deleted; who comes back later is a member again.</summary>
    public static readonly TimeSpan GoneKept = TimeSpan.FromDays(7);

    public static ClusterState Empty { get; } = new();

    // Where a document lacks what came with a later schema, the serializer sets null, whatever the property begins with.

    /// <summary>Workers by their ids.</summary>
    public IReadOnlyDictionary<string, Member> Members { get; init; } = new Dictionary<string, Member>();

    /// <summary>Workers that are to take nothing new, and since when; by their ids.</summary>
    public IReadOnlyDictionary<string, DateTimeOffset> Drains { get; init; } = new Dictionary<string, DateTimeOffset>();

    /// <summary>Workers that are not trusted any more, and since when; by their ids.</summary>
    public IReadOnlyDictionary<string, DateTimeOffset> Revoked { get; init => field = value ?? new Dictionary<string, DateTimeOffset>(); } = new Dictionary<string, DateTimeOffset>();

    /// <summary>How models' copies are to be held, by <see cref="PolicyKey"/> of their names. A name keeps its policy while nothing stands behind it.</summary>
    public IReadOnlyDictionary<string, ModelPolicy> Policies
    {
        get;
        init => field = value ?? new Dictionary<string, ModelPolicy>();
    } = new Dictionary<string, ModelPolicy>();

    /// <summary>Ids of the last commands, the oldest first.</summary>
    public IReadOnlyList<string> Commands { get; init; } = [];

    /// <summary>All four parts of a name, in lower case: names that differ in case alone are one.</summary>
    public static string PolicyKey(ModelName name) => name.FullName.ToLowerInvariant();

    public ClusterState Apply(ClusterCommand command) => command switch
    {
        ClusterCommand.Observe { Workers: var workers } => Observe(workers),
        // Done already; an answer that was lost is asked for again.
        ClusterCommand.Wish { Id: var id } when Commands.Contains(id) => this,
        ClusterCommand.Drain drain when !Drains.ContainsKey(drain.WorkerId) =>
            Remember(drain) with { Drains = new Dictionary<string, DateTimeOffset>(Drains) { [drain.WorkerId] = drain.At } },
        ClusterCommand.Undrain undrain when Drains.ContainsKey(undrain.WorkerId) =>
            Remember(undrain) with { Drains = Drains.Where(drain => drain.Key != undrain.WorkerId).ToDictionary() },
        ClusterCommand.Revoke revoke when !Revoked.ContainsKey(revoke.WorkerId) => Remember(revoke) with
        {
            Revoked = Revoked.OrderByDescending(revoked => revoked.Value).Take(RevokedKept - 1).Append(new(revoke.WorkerId, revoke.At)).ToDictionary(),
        },
        ClusterCommand.SetPolicy { Policy: { } policy } set => Remember(set) with { Policies = new Dictionary<string, ModelPolicy>(Policies) { [set.Model] = policy } },
        ClusterCommand.SetPolicy set => Remember(set) with { Policies = Policies.Where(policy => policy.Key != set.Model).ToDictionary() },
        ClusterCommand.Restore { Backup: var backup } restore => Remember(restore) with
        {
            Policies = Over(Policies, backup.Policies),
            Drains = Over(Drains, backup.Drains),
            Revoked = Over(backup.Revoked, Revoked).OrderByDescending(revoked => revoked.Value).Take(RevokedKept).ToDictionary(),
        },
        ClusterCommand.Wish wish => Remember(wish),
        _ => this,
    };

    /// <summary>A heartbeat with the wishes for its worker.</summary>
    public WorkerView View(WorkerView worker)
    {
        (bool isToDrain, bool isRevoked) = (Drains.ContainsKey(worker.Report.Id), Revoked.ContainsKey(worker.Report.Id));
        return (isToDrain, isRevoked) == (worker.IsToDrain, worker.IsRevoked) ? worker : worker with { IsToDrain = isToDrain, IsRevoked = isRevoked };
    }

    private static Dictionary<string, T> Over<T>(IReadOnlyDictionary<string, T> below, IReadOnlyDictionary<string, T> above)
    {
        Dictionary<string, T> both = new(below);
        foreach (var (key, value) in above)
            both[key] = value;
        return both;
    }

    private ClusterState Remember(ClusterCommand.Wish wish) => this with { Commands = [.. Commands.TakeLast(CommandsKept - 1), wish.Id] };

    private ClusterState Observe(IReadOnlyList<WorkerView> workers)
    {
        Dictionary<string, Member> members = [];
        foreach (WorkerView worker in workers)
        {
            Member? before = Members.GetValueOrDefault(worker.Report.Id);
            if (worker.State == WorkerState.Gone && (before is null || worker.Age > GoneKept))
                continue;
            members[worker.Report.Id] = Member.Of(worker, before);
        }
        bool isSame = members.Count == Members.Count && members.All(member => ReferenceEquals(member.Value, Members.GetValueOrDefault(member.Key)));
        return isSame ? this : this with { Members = members };
    }
}
