using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OllamaMax.Cluster;

namespace OllamaMax.Edge.Cluster.Leading;

/// <summary>Brings the members up to date with the heartbeats, and tells operators who came, went and came back.</summary>
internal sealed partial class MembershipReconciler(
    ClusterWatch watch, ClusterDocuments documents, IOptions<ClusterOptions> options, ILogger<MembershipReconciler> logger) : IReconciler
{
    private (long Epoch, long TakenAt)? _seen;

    public string Name => "membership";

    /// <summary>Each tick: a listing that requests needed anyway costs nothing.</summary>
    public TimeSpan Every => TimeSpan.Zero;

    public async Task<bool> ReconcileAsync(LeaderTerm term, CancellationToken cancellationToken)
    {
        if (watch.Age >= options.Value.ListEvery)
            await watch.GetAsync(TimeSpan.Zero, cancellationToken);
        // As it was taken: aged, it would make silence of what was only not looked at.
        if (watch.LastListing is not { } listing || _seen == (term.Epoch, listing.TakenAt))
            return true;
        ClusterState? before = documents.State.Last?.Content;
        if (await documents.State.ApplyAsync(term, state => state.Apply(new ClusterCommand.Observe([.. listing.Workers.Select(state.View)])), cancellationToken) is not { } after)
            return false;
        Tell(before ?? ClusterState.Empty, after.Content);
        _seen = (term.Epoch, listing.TakenAt);
        return true;
    }

    private void Tell(ClusterState before, ClusterState after)
    {
        foreach (var (id, member) in after.Members)
        {
            Member? old = before.Members.GetValueOrDefault(id);
            if (old?.State != member.State)
                LogChanged(member.Name, id, member.State, member.Since);
            if (member.Flags.Count > 0 && !member.Flags.SequenceEqual(old?.Flags ?? []))
                LogFlagged(member.Name, id, string.Join(", ", member.Flags));
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Worker {Name} ({Worker}) is {State} since {Since:u}")]
    private partial void LogChanged(string name, string worker, WorkerState state, DateTimeOffset since);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Worker {Name} ({Worker}) reports what cannot be: {Flags}")]
    private partial void LogFlagged(string name, string worker, string flags);
}
