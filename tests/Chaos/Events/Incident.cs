using System.Diagnostics;

namespace OllamaMax.Chaos.Tests.Events;

/// <summary>An event as it happened.</summary>
internal sealed class Incident(ChaosEvent what)
{
    public ChaosEvent What => what;

    public long From { get; } = Stopwatch.GetTimestamp();

    /// <summary>Null while it lasts, what mends it included.</summary>
    public long? To { get; set; }

    public bool Overlaps((long From, long To) time) => From <= time.To && (To is null || To >= time.From);

    public string Describe(long start) => $"{Stopwatch.GetElapsedTime(start, From).TotalSeconds,6:0.0} s to "
        + $"{(To is { } end ? $"{Stopwatch.GetElapsedTime(start, end).TotalSeconds,6:0.0} s" : "   now  ")}  {what}";
}
