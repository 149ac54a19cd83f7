namespace OllamaMax.Jobs.Records;

/// <summary>
/// When a job is set aside: by what its attempts came to. A failure is what a worker says itself; a crash is its engine dying under the attempt, by a
/// fault of its own or because it hung; a loss is silence. An engine that was killed from outside (signal 9, as the system does when memory runs out)
/// has failed, not crashed. What was handed back is not counted.
/// </summary>
public sealed record PoisonRule
{
    /// <summary>Failures, crashes included.</summary>
    public int MaxFailures { get; init; } = 3;

    /// <summary>
    /// Crashes, where the last one came without a new token: the job kills its workers. With new tokens it may have been another one's fault that
    /// was decoded beside it, and it counts as a failure alone.
    /// </summary>
    public int MaxCrashes { get; init; } = 2;

    /// <summary>Losses in all, whatever they brought: boxes are switched off, but not for ever.</summary>
    public int MaxLosses { get; init; } = 10;

    /// <summary>
    /// Losses in a row without one new token: the job is taken for what killed its workers. An attempt that never began has not shown it to a model, and says nothing of that.
    /// </summary>
    public int MaxLossesInPlace { get; init; } = 2;

    public bool Applies(IEnumerable<FailedAttempt> history)
    {
        FailedAttempt[] counted = [.. history.Where(attempt => attempt.Kind != AttemptFailure.HandedBack)];
        if (counted.Length == 0)
            return false;
        bool crashedInPlace = counted[^1] is { Kind: AttemptFailure.Crashed, IsInPlace: true };
        return counted.Count(attempt => attempt.Kind is AttemptFailure.Failed or AttemptFailure.Crashed) >= MaxFailures
            || (crashedInPlace && counted.Count(attempt => attempt.Kind == AttemptFailure.Crashed) >= MaxCrashes)
            || counted.Count(attempt => attempt.Kind == AttemptFailure.Lost) >= MaxLosses
            || counted.Reverse().Where(attempt => !attempt.NeverBegan).TakeWhile(attempt => attempt is { Kind: AttemptFailure.Lost, IsInPlace: true }).Count() >= MaxLossesInPlace;
    }
}
