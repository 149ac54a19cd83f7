namespace OllamaMax.LocalHost.SignalR;

/// <summary>What happens to one send; the default is nothing unusual.</summary>
internal readonly record struct FaultPlan
{
    /// <summary>Set: the send is refused.</summary>
    public TimeSpan? RetryAfter { get; init; }

    public bool Drop { get; init; }

    public bool Duplicate { get; init; }

    /// <summary>Set: let the next one pass, and wait no longer than this for it.</summary>
    public TimeSpan? HoldBack { get; init; }

    public TimeSpan Delay { get; init; }
}

/// <summary>How often each fault has been decided on.</summary>
public sealed record SignalRFaultCounts
{
    public int Throttled { get; init; }

    public int Dropped { get; init; }

    public int Doubled { get; init; }

    public int Reordered { get; init; }

    public int Delayed { get; init; }

    public int Reconnects { get; init; }

    internal SignalRFaultCounts And(FaultPlan plan) => this with
    {
        Throttled = Throttled + (plan.RetryAfter is null ? 0 : 1),
        Dropped = Dropped + (plan.Drop ? 1 : 0),
        Doubled = Doubled + (plan.Duplicate ? 1 : 0),
        Reordered = Reordered + (plan.HoldBack is null ? 0 : 1),
        Delayed = Delayed + (plan.Delay > TimeSpan.Zero ? 1 : 0),
    };
}
