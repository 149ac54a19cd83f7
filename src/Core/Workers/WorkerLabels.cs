using System.Diagnostics.CodeAnalysis;

namespace OllamaMax.Workers;

/// <summary>
/// What is said of a box so that jobs can be kept to some: <c>key=value</c>, such as <c>gpu=a100</c>. Case does not matter. A box's site is the label
/// <c>site</c>. A heartbeat has 8 KB in all, hence the bounds; a worker that goes beyond them has none of its own.
/// </summary>
public static class WorkerLabels
{
    /// <summary>The label that a worker's site is.</summary>
    public const string Site = "site";

    /// <summary>Labels of one worker.</summary>
    public const int Most = 16;

    /// <summary>Characters of a key, and of a value.</summary>
    public const int Longest = 63;

    /// <summary>Reads <c>key=value</c>: each has 1 to <see cref="Longest"/> characters, letters and digits of ASCII, and <c>- _ . /</c>.</summary>
    public static bool TryParse(string text, out KeyValuePair<string, string> label, [NotNullWhen(false)] out string? error)
    {
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        label = equals < 0 ? default : new(text[..equals].Trim(), text[(equals + 1)..].Trim());
        error = equals >= 0 && IsWord(label.Key) && IsWord(label.Value)
            ? null
            : $"'{text}' is no label: it is written key=value, each of 1 to {Longest} letters, digits, '-', '_', '.' or '/'";
        return error is null;
    }

    /// <summary>Whether a worker may call these its own.</summary>
    public static bool AreValid(IReadOnlyDictionary<string, string> labels) =>
        labels.Count <= Most && labels.All(label => IsWord(label.Key) && IsWord(label.Value) && !IsSite(label.Key));

    /// <summary>All labels of a worker, by key; its site is one only where it could be.</summary>
    public static IReadOnlyDictionary<string, string> Of(WorkerReport report)
    {
        Dictionary<string, string> labels = new(StringComparer.OrdinalIgnoreCase);
        if (report.Labels is { } own && AreValid(own))
        {
            foreach (var (key, value) in own)
                labels[key] = value;
        }
        if (IsWord(report.Site))
            labels[Site] = report.Site;
        return labels;
    }

    public static bool IsSite(string key) => key.Equals(Site, StringComparison.OrdinalIgnoreCase);

    private static bool IsWord([NotNullWhen(true)] string? text) =>
        text is { Length: > 0 and <= Longest } && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '/');
}
