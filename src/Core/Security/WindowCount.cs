namespace OllamaMax.Security;

/// <summary>What was used in one window of time, a minute, a day or a month.</summary>
/// <param name="Window">The window's number, growing with time.</param>
/// <param name="Count">What was used in it.</param>
public sealed record WindowCount(long Window, long Count)
{
    public static readonly WindowCount None = new(0, 0);

    /// <summary>What was used in that window; whose clock is behind sees the newest.</summary>
    public long In(long window) => window > Window ? 0 : Count;

    /// <summary>A newer window begins anew; whose clock is behind counts into the newest.</summary>
    public WindowCount Add(long window, long amount) => window > Window ? new(window, Math.Max(0, amount)) : this with { Count = Math.Max(0, Count + amount) };

    public static long MinuteOf(DateTimeOffset now) => now.ToUnixTimeSeconds() / 60;

    public static long DayOf(DateTimeOffset now) => now.ToUnixTimeSeconds() / 86_400;

    public static long MonthOf(DateTimeOffset now) => (now.UtcDateTime.Year * 12) + now.UtcDateTime.Month - 1;

    /// <summary>From now to the end of the minute, the day, the month.</summary>
    public static TimeSpan LeftOfMinute(DateTimeOffset now) => DateTimeOffset.FromUnixTimeSeconds((MinuteOf(now) + 1) * 60) - now;

    public static TimeSpan LeftOfDay(DateTimeOffset now) => DateTimeOffset.FromUnixTimeSeconds((DayOf(now) + 1) * 86_400) - now;

    public static TimeSpan LeftOfMonth(DateTimeOffset now) =>
        new DateTimeOffset(now.UtcDateTime.Year, now.UtcDateTime.Month, 1, 0, 0, 0, TimeSpan.Zero).AddMonths(1) - now;
}
