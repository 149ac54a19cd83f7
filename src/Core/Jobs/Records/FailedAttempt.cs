using System.Text.Json.Serialization;

namespace OllamaMax.Jobs.Records;

/// <summary>An attempt that did not come to the job's end, and why.</summary>
/// <param name="From">Tokens of the answer that were there when it began.</param>
/// <param name="To">Tokens that were there when it ended.</param>
public sealed record FailedAttempt(int Number, string WorkerId, AttemptFailure Kind, string Reason, DateTimeOffset At, int From, int To)
{
    /// <summary>The claim that it was granted to; null: none, or not known, as in records of an older version.</summary>
    public string? ClaimId { get; init; }

    /// <summary>It was granted, and never began to write, before which no worker gives the job to a model: its worker had no answer, or could not use it. False also in records of an older version.</summary>
    public bool NeverBegan { get; init; }

    /// <summary>It brought not one new token.</summary>
    [JsonIgnore]
    public bool IsInPlace => To == From;
}

public enum AttemptFailure
{
    /// <summary>It said so itself.</summary>
    Failed,

    /// <summary>It said nothing any more: its worker died, hung, or was cut off.</summary>
    Lost,

    /// <summary>Its engine died under it by a fault of its own, or hung and was ended: the job may be what kills it.</summary>
    Crashed,

    /// <summary>Its worker left in order. Nobody is to blame, and it is not counted.</summary>
    HandedBack,
}
