namespace OllamaMax.Jobs.Owning;

/// <summary>How patient an owner is. The defaults suit the local host and a cloud region's round trips.</summary>
public sealed record OwnerOptions
{
    /// <summary>A grant without an answer is sent again after this; it may have been lost.</summary>
    public TimeSpan GrantResend { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>A grant without an answer is taken back after this.</summary>
    public TimeSpan GrantTimeout { get; init; } = TimeSpan.FromMilliseconds(1500);

    /// <summary>A worker that said nothing about a running attempt for this long has lost it.</summary>
    public TimeSpan SilenceTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Nudges for a waiting job are repeated, first after this, then after twice as long each time.</summary>
    public TimeSpan NudgeFirst { get; init; } = TimeSpan.FromMilliseconds(250);

    public TimeSpan NudgeLongest { get; init; } = TimeSpan.FromSeconds(8);

    /// <summary>A gap in the answer is asked for again at most this often.</summary>
    public TimeSpan GapAsk { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Refused or unanswered pushes of one job before it goes into the queue.</summary>
    public int MaxPushes { get; init; } = 3;

    /// <summary>Attempts that failed or fell silent before the job is given up.</summary>
    public int MaxFailures { get; init; } = 3;
}
