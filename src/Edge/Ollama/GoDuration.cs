using System.Globalization;
using System.Text.RegularExpressions;

namespace OllamaMax.Edge.Ollama;

/// <summary>Durations as Go writes them (https://pkg.go.dev/time#ParseDuration): <c>5m</c>, <c>1h30m</c>, <c>-1s</c>, <c>0</c>.</summary>
internal static partial class GoDuration
{
    private const int Longest = 64;

    /// <param name="seconds">The duration; may be negative.</param>
    public static bool TryParse(string text, out double seconds)
    {
        seconds = 0;
        if (text.Length > Longest || Pattern().Match(text) is not { Success: true } match)
            return false;
        for (int i = 0; i < match.Groups["number"].Captures.Count; i++)
        {
            double number = double.Parse(match.Groups["number"].Captures[i].ValueSpan, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture);
            seconds += number * SecondsOf(match.Groups["unit"].Captures[i].Value);
        }
        if (text[0] == '-')
            seconds = -seconds;
        return true;
    }

    private static double SecondsOf(string unit) => unit switch
    {
        "ns" => 1e-9,
        "us" or "µs" or "μs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1,
        "m" => 60,
        _ => 3600,
    };

    [GeneratedRegex(@"^[+-]?(0|((?<number>\d+(\.\d*)?|\.\d+)(?<unit>ns|us|µs|μs|ms|s|m|h))+)\z", RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();
}
