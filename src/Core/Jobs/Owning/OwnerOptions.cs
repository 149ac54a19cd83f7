using OllamaMax.Jobs.Records;

namespace OllamaMax.Jobs.Owning;

/// <summary>How patient an owner is. The defaults suit the local host and a cloud region's round trips.</summary>
public sealed record OwnerOptions
{
    /// <summary>A grant without an answer is sent again after this; it may have been lost.</summary>
    public TimeSpan GrantResend { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>A grant without an answer is taken back after this.</summary>
    public TimeSpan GrantTimeout { get; init; } = TimeSpan.FromMilliseconds(1500);

    /// <summary>A worker that said nothing about a running attempt for this long has lost it. It speaks at least four times a second.</summary>
    public TimeSpan SilenceTimeout { get; init; } = TimeSpan.FromSeconds(1.8);

    /// <summary>A worker whose engine made no step for an attempt in this long hangs. The longest step that is no hang: a large batch of a prompt on a slow CPU.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>While jobs run, or it has not heard itself for long, an edge sends itself a message this often (<see cref="EchoWatch"/>).</summary>
    public TimeSpan EchoInterval { get; init; } = TimeSpan.FromMilliseconds(400);

    /// <summary>Without an echo for this long an edge does not hear, and takes nothing from anybody. Shorter than <see cref="SilenceTimeout"/>, or its own deafness would look like a worker's end.</summary>
    public TimeSpan EchoTimeout { get; init; } = TimeSpan.FromSeconds(1.4);

    /// <summary>Nudges for a waiting job are repeated, first after this, then after twice as long each time.</summary>
    public TimeSpan NudgeFirst { get; init; } = TimeSpan.FromMilliseconds(250);

    public TimeSpan NudgeLongest { get; init; } = TimeSpan.FromSeconds(8);

    /// <summary>A gap in the answer is asked for again at most this often.</summary>
    public TimeSpan GapAsk { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Refused or unanswered pushes of one job before it goes into the queue.</summary>
    public int MaxPushes { get; init; } = 3;

    /// <summary>Attempts that said themselves that they failed before the job is given up.</summary>
    public int MaxFailures { get; init; } = 3;

    /// <summary>Attempts that took their engine with them before the job is taken for the cause (<see cref="PoisonRule.MaxCrashes"/>).</summary>
    public int MaxCrashes { get; init; } = 2;

    /// <summary>Attempts that fell silent or hung before the job is given up. More than of failures: boxes are switched off, and the job is not to blame.</summary>
    public int MaxLosses { get; init; } = 6;

    /// <summary>Boxes that vanish under a client that waits are not held against its job, however early: losses in place count as others do.</summary>
    internal PoisonRule Poison => new() { MaxFailures = MaxFailures, MaxCrashes = MaxCrashes, MaxLosses = MaxLosses, MaxLossesInPlace = MaxLosses };
}
