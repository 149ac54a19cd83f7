using System.Text.RegularExpressions;

namespace OllamaMax.Edge.Ollama;

/// <summary>Durations as Go writes them (https://pkg.go.dev/time#ParseDuration): <c>5m</c>, <c>1h30m</c>, <c>-1s</c>, <c>0</c>.</summary>
internal static partial class GoDuration
{
    public static bool IsValid(string text) => text.Length <= 64 && Pattern().IsMatch(text);

    [GeneratedRegex(@"^[+-]?(0|((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+)$", RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();
}
