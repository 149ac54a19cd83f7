namespace OllamaMax.Jobs.Records;

/// <summary>An attempt that did not come to the job's end, and why.</summary>
/// <param name="From">Tokens of the answer that were there when it began.</param>
/// <param name="To">Tokens that were there when it ended.</param>
public sealed record FailedAttempt(int Number, string WorkerId, AttemptFailure Kind, string Reason, DateTimeOffset At, int From, int To);

public enum AttemptFailure
{
    /// <summary>It said so itself.</summary>
    Failed,

    /// <summary>It said nothing any more: its worker died, hung, or was cut off.</summary>
    Lost,

    /// <summary>Its worker left in order. Nobody is to blame, and it is not counted.</summary>
    HandedBack,
}
