using System.Diagnostics.CodeAnalysis;
using OllamaMax.Workers;

namespace OllamaMax.Placement;

/// <summary>Labels that a worker must have, all of them: <c>gpu=a100, site=berlin</c>.</summary>
public sealed class LabelSelector
{
    private readonly KeyValuePair<string, string>[] _labels;

    private LabelSelector(params IEnumerable<KeyValuePair<string, string>> labels) => _labels = [.. labels];

    /// <summary>Asks for nothing.</summary>
    public static LabelSelector None { get; } = new();

    public bool IsNone => _labels.Length == 0;

    /// <summary>Reads labels that are separated by commas.</summary>
    /// <param name="text">Null or empty: none.</param>
    /// <param name="selector">When it could be read.</param>
    /// <param name="error">For people, when it could not.</param>
    public static bool TryParse(string? text, [NotNullWhen(true)] out LabelSelector? selector, [NotNullWhen(false)] out string? error)
    {
        List<KeyValuePair<string, string>> labels = [];
        error = null;
        selector = null;
        foreach (string one in (text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (!WorkerLabels.TryParse(one, out KeyValuePair<string, string> label, out error))
                return false;
            labels.Add(label);
        }
        selector = new(labels);
        return true;
    }

    /// <summary>These and the other's.</summary>
    public LabelSelector And(LabelSelector other) => other.IsNone ? this : IsNone ? other : new(_labels.Concat(other._labels));

    public bool Admits(IReadOnlyDictionary<string, string> labels) =>
        Array.TrueForAll(_labels, wanted => labels.TryGetValue(wanted.Key, out string? value) && value.Equals(wanted.Value, StringComparison.OrdinalIgnoreCase));

    public override string ToString() => string.Join(", ", _labels.Select(label => $"{label.Key}={label.Value}"));
}
