using OllamaMax.Cluster;

namespace OllamaMax.Replication;

/// <summary>
/// From policies and what workers report to what they are ordered. Pure, and without memory: whoever leads comes to the same, and asked again before the reports have changed to the same
/// again. It does not thrash, as a worker that is away for a short while keeps its place, between least and most nothing is done, and which worker is chosen depends on nothing that
/// changes by itself.
/// </summary>
public static class ReplicationPlanner
{
    /// <param name="models">Those with a policy.</param>
    /// <param name="workers">All, those that are gone too.</param>
    /// <param name="replaceAfter">How long a worker has been gone when its copies are made elsewhere: it may only have been started anew.</param>
    /// <param name="unneeded">Digests of weights whose copies are to go, where nobody runs them; null: none.</param>
    public static ReplicationPlan Plan(IReadOnlyList<PolicedModel> models, IReadOnlyList<WorkerView> workers, TimeSpan replaceAfter, IReadOnlySet<string>? unneeded = null)
    {
        ReplicaSeat[] seats = [.. workers.GroupBy(worker => worker.Report.Disk ?? worker.Report.Id).Select(sharing => new ReplicaSeat(sharing, models, replaceAfter))];
        Dictionary<string, ModelReplication> states = [];
        foreach (PolicedModel model in models.OrderByDescending(model => model.Priority).ThenBy(model => model.Digest, StringComparer.Ordinal))
            states[model.Digest] = Plan(model, seats);
        foreach (ReplicaSeat seat in seats)
            seat.EvictIdle(unneeded ?? new HashSet<string>());
        HashSet<string> pinned = [.. models.Where(model => model.IsPinned).Select(model => model.Digest)];
        return new(states, [.. seats.SelectMany(seat => seat.Orders(pinned))]);
    }

    private static ModelReplication Plan(PolicedModel model, ReplicaSeat[] seats)
    {
        List<string> blocked = [.. model.Policies.Select(policy => Fill(model, policy, seats)).OfType<string>().Distinct()];
        if (model.Most is { } most)
            Thin(model, most, seats);
        foreach (ModelPolicy policy in model.Policies.Where(policy => policy.Warm))
            Warm(model, policy, seats);
        ReplicaSeat[] counted = [.. seats.Where(seat => model.Policies.Any(policy => seat.Counts(policy)))];
        return new(
            model.Desired,
            counted.Count(seat => seat.Holds(model.Digest) && !seat.IsAway),
            counted.Count(seat => seat.Gets(model.Digest)),
            blocked.Count == 0 ? null : string.Join("; ", blocked))
        {
            Warm = model.DesiredWarm > 0 ? counted.Count(seat => seat.IsWarm(model.Digest) && !seat.IsAway) : null,
        };
    }

    /// <summary>Orders what one policy lacks. Null, or why it cannot be had.</summary>
    private static string? Fill(PolicedModel model, ModelPolicy policy, ReplicaSeat[] seats)
    {
        int missing = policy.MinReplicas - seats.Count(seat => seat.Counts(policy) && seat.HasOrGets(model.Digest));
        if (missing <= 0)
            return null;
        List<ReplicaSeat> free = [];
        Dictionary<string, int> reasons = [];
        foreach (ReplicaSeat seat in seats.Where(seat => !(seat.Counts(policy) && seat.HasOrGets(model.Digest))))
        {
            if (seat.Refusal(model, policy) is not { } reason)
                free.Add(seat);
            else if (reason.Length > 0)
                reasons[reason] = reasons.GetValueOrDefault(reason) + 1;
        }
        for (; missing > 0 && free.Count > 0; missing--)
        {
            ReplicaSeat chosen = free.MinBy(seat => (-seat.Preference(policy), CopiesAt(seat.Site, model, seats), seat.Key(model.Digest)))!;
            chosen.Ensure(model);
            free.Remove(chosen);
        }
        return missing == 0 ? null : $"{missing} more {(missing == 1 ? "worker is" : "workers are")} needed{(reasons.Count == 0 ? "" : ": ")}{string.Join(", ", reasons.Select(reason => $"{reason.Value} {reason.Key}"))}";
    }

    /// <summary>Keeps as many copies in memory as there are to be at least: those that are there already, as long as they can.</summary>
    private static void Warm(PolicedModel model, ModelPolicy policy, ReplicaSeat[] seats)
    {
        IEnumerable<ReplicaSeat> chosen = seats.Where(seat => seat.Counts(policy) && seat.CanWarm(model))
            .OrderByDescending(seat => seat.IsToldToWarm(model.Digest))
            .ThenByDescending(seat => seat.HasInMemory(model.Digest))
            .ThenByDescending(seat => seat.Preference(policy))
            .ThenBy(seat => seat.Key(model.Digest))
            .Take(policy.MinReplicas);
        foreach (ReplicaSeat seat in chosen)
            seat.Warm(model.Digest);
    }

    /// <summary>
    /// Takes copies away that nobody wants, unless they are in memory: those that requests have brought. Who is away may come back, and is not counted.
    /// </summary>
    private static void Thin(PolicedModel model, int most, ReplicaSeat[] seats)
    {
        List<ReplicaSeat> holders = [.. seats.Where(seat => seat.Holds(model.Digest) && !seat.IsAway)];
        List<ReplicaSeat> idle = [.. holders.Where(seat => !seat.IsUnwritable && !seat.HasInMemory(model.Digest))];
        for (int excess = holders.Count - most; excess > 0 && idle.Count > 0; excess--)
        {
            ReplicaSeat chosen = idle.MaxBy(seat => (model.Policies.All(policy => !seat.Counts(policy)), -model.Policies.Max(policy => seat.Preference(policy)), CopiesAt(seat.Site, model, seats), seat.Key(model.Digest)))!;
            idle.Remove(chosen);
            // Names may want them on different workers.
            if (model.Policies.All(policy => !chosen.Counts(policy) || Copies(model, policy, seats) > policy.MinReplicas))
                chosen.Evict(model.Digest);
        }
    }

    /// <summary>Copies that count and are there, less those that were just given up.</summary>
    private static int Copies(PolicedModel model, ModelPolicy policy, ReplicaSeat[] seats) =>
        seats.Count(seat => seat.Counts(policy) && seat.Holds(model.Digest) && !seat.IsAway && !seat.Loses(model.Digest));

    private static int CopiesAt(string? site, PolicedModel model, ReplicaSeat[] seats) =>
        seats.Count(seat => seat.Site == site && seat.HasOrGets(model.Digest) && !seat.Loses(model.Digest));
}
