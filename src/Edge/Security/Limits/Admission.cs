using OllamaMax.Security;

namespace OllamaMax.Edge.Security.Limits;

/// <summary>What came of asking for a request to be let in.</summary>
/// <param name="Refusal">Null: it is let in.</param>
/// <param name="Requests">What is left of the minute's; null: they are not limited.</param>
/// <param name="Tokens">What is left of the minute's; null: they are not limited.</param>
internal sealed record Admission(LimitRefusal? Refusal, Allowance? Requests, Allowance? Tokens)
{
    public static readonly Admission Unlimited = new(null, null, null);

    /// <summary>Both, when a request must be let in by both: of each the one of which less is left.</summary>
    public Admission And(Admission other) => new(Refusal ?? other.Refusal, Less(Requests, other.Requests), Less(Tokens, other.Tokens));

    private static Allowance? Less(Allowance? one, Allowance? other) => one is null || other?.Left < one.Left ? other : one;
}

/// <param name="Limit">In a window of time.</param>
/// <param name="Left">Of it, as this edge knows.</param>
/// <param name="Reset">When the next window begins.</param>
internal sealed record Allowance(long Limit, long Left, TimeSpan Reset);
