using OllamaMax.Jobs.Records;

namespace OllamaMax.Jobs.Owning;

/// <summary>The attempts of an interactive job that had begun and did not come to its end. Refusals and grants without an answer are none of them.</summary>
internal sealed class AttemptHistory(PoisonRule rule)
{
    private readonly List<FailedAttempt> _all = [];
    private readonly HashSet<string> _failedAt = [];
    private TimeSpan _failedLastAt;
    private int _from;

    /// <summary>The oldest first; times are the owner's clock since the epoch.</summary>
    public IReadOnlyList<FailedAttempt> All => [.. _all];

    /// <summary>Workers that said that they failed at it, or whose engines died under it, and when that was last.</summary>
    public (IReadOnlySet<string> Workers, TimeSpan LastAt) Failures => (_failedAt, _failedLastAt);

    /// <summary>Why the last of them ended, for people; null: there were none.</summary>
    public string? LastReason => _all.Count > 0 ? _all[^1].Reason : null;

    /// <summary>There were too many.</summary>
    public bool IsPoison => rule.Applies(_all);

    /// <summary>What an end that is not the job's says of its attempt.</summary>
    public static AttemptFailure KindOf(AttemptEnd end) => end switch
    {
        { Reason: EndReason.HandedBack } => AttemptFailure.HandedBack,
        { Crashed: true } => AttemptFailure.Crashed,
        _ => AttemptFailure.Failed,
    };

    /// <summary>An attempt begins with so many tokens there.</summary>
    public void Begin(int tokens) => _from = tokens;

    public FailedAttempt Add(Attempt attempt, AttemptFailure kind, string reason, TimeSpan now, int tokens)
    {
        var failed = new FailedAttempt(attempt.Number, attempt.WorkerId, kind, reason, DateTimeOffset.UnixEpoch + now, _from, tokens);
        _all.Add(failed);
        if (kind is AttemptFailure.Failed or AttemptFailure.Crashed)
        {
            _failedAt.Add(attempt.WorkerId);
            _failedLastAt = now;
        }
        return failed;
    }
}
