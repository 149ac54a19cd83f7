namespace OllamaMax.Security;

/// <summary>
/// What a key or a tenant has used, all edges together, as it lies in storage. Immutable and without a clock: who changes it writes it back under the ETag
/// it was read with.
/// </summary>
public sealed record SharedUse
{
    public static readonly SharedUse Nothing = new();

    /// <summary>An edge that has not said for so long how many it answers is dead, and answers none.</summary>
    private static readonly TimeSpan RunningIsKnownFor = TimeSpan.FromMinutes(1);

    /// <summary>An edge that has not found out for so long whether its write arrived has died, or counts it again.</summary>
    private static readonly TimeSpan WritesAreKnownFor = TimeSpan.FromHours(1);

    /// <summary>Of this minute: those that were let in, and those that edges have taken in advance.</summary>
    public WindowCount Requests { get; init; } = WindowCount.None;

    public WindowCount MinuteTokens { get; init; } = WindowCount.None;

    public WindowCount DayTokens { get; init; } = WindowCount.None;

    public WindowCount MonthTokens { get; init; } = WindowCount.None;

    /// <summary>Requests that are being answered, by edge.</summary>
    public IReadOnlyDictionary<string, RunningCount> Running { get; init; } = new Dictionary<string, RunningCount>();

    /// <summary>Each edge's last write, by edge: one that does not know whether its write arrived finds it here, whoever has written since. An edge of the version before drops them when it writes.</summary>
    public IReadOnlyDictionary<string, EdgeWrite> Writes { get; init => field = value ?? new Dictionary<string, EdgeWrite>(); } = new Dictionary<string, EdgeWrite>();

    /// <param name="requests">Negative: they are given back.</param>
    public SharedUse Take(int requests, DateTimeOffset now) => this with { Requests = Requests.Add(WindowCount.MinuteOf(now), requests) };

    public SharedUse Spend(long tokens, DateTimeOffset now) => this with
    {
        MinuteTokens = MinuteTokens.Add(WindowCount.MinuteOf(now), tokens),
        DayTokens = DayTokens.Add(WindowCount.DayOf(now), tokens),
        MonthTokens = MonthTokens.Add(WindowCount.MonthOf(now), tokens),
    };

    /// <summary>How many an edge answers now; edges that have not said so for long are forgotten.</summary>
    public SharedUse Answering(string edge, int count, DateTimeOffset now)
    {
        Dictionary<string, RunningCount> running = Running.Where(other => other.Key != edge && IsAlive(other.Value, now)).ToDictionary();
        if (count > 0)
            running.Add(edge, new(count, now));
        return this with { Running = running };
    }

    /// <summary>By which write of an edge it comes to be so; those of edges that have not written for long are forgotten.</summary>
    /// <param name="mark">Of this write alone.</param>
    public SharedUse WrittenBy(string edge, string mark, DateTimeOffset now) => this with
    {
        Writes = new Dictionary<string, EdgeWrite>(Writes.Where(other => now - other.Value.At < WritesAreKnownFor)) { [edge] = new(mark, now) },
    };

    /// <summary>Whether it was the edge's last write.</summary>
    public bool IsWrittenBy(string edge, string mark) => Writes.GetValueOrDefault(edge)?.Mark == mark;

    public int RunningElsewhere(string edge, DateTimeOffset now) =>
        Running.Where(other => other.Key != edge && IsAlive(other.Value, now)).Sum(other => other.Value.Count);

    public long RequestsLeft(UsageLimits limits, DateTimeOffset now) =>
        limits.RequestsPerMinute is { } most ? Math.Max(0, most - Requests.In(WindowCount.MinuteOf(now))) : long.MaxValue;

    /// <summary>The limit of tokens that is used up, the one that lasts longest; null: none is.</summary>
    /// <param name="pending">Tokens that are not counted in here yet.</param>
    public LimitRefusal? OutOfTokens(UsageLimits limits, long pending, DateTimeOffset now)
    {
        if (limits.TokensPerMonth is { } month && MonthTokens.In(WindowCount.MonthOf(now)) + pending >= month)
            return new($"{month} tokens per month", WindowCount.LeftOfMonth(now));
        if (limits.TokensPerDay is { } day && DayTokens.In(WindowCount.DayOf(now)) + pending >= day)
            return new($"{day} tokens per day", WindowCount.LeftOfDay(now));
        if (limits.TokensPerMinute is { } minute && MinuteTokens.In(WindowCount.MinuteOf(now)) + pending >= minute)
            return new($"{minute} tokens per minute", WindowCount.LeftOfMinute(now));
        return null;
    }

    private static bool IsAlive(RunningCount running, DateTimeOffset now) => now - running.At < RunningIsKnownFor;
}

/// <param name="At">When its edge said so.</param>
public sealed record RunningCount(int Count, DateTimeOffset At);

/// <param name="Mark">Of this write alone.</param>
/// <param name="At">By its edge's clock.</param>
public sealed record EdgeWrite(string Mark, DateTimeOffset At);

/// <param name="Limit">Which one, for people: <c>60 requests per minute</c>.</param>
/// <param name="RetryAfter">When it may be otherwise.</param>
public sealed record LimitRefusal(string Limit, TimeSpan RetryAfter)
{
    /// <summary>For whoever is refused.</summary>
    public string Message => $"rate limit reached: {Limit}";
}
