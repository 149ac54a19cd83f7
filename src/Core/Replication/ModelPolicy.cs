namespace OllamaMax.Replication;

/// <summary>
/// How many copies of a model workers are to hold, and which workers. Kept by the model's name, so that what the name stands for tomorrow is held the same way. Without one, copies
/// come where requests bring them, and go where the room is needed.
/// </summary>
public sealed record ModelPolicy
{
    /// <summary>More than any cluster has workers.</summary>
    public const int MostReplicas = 1000;

    /// <summary>Of greater ones the sooner is done what they want.</summary>
    public const int MostPriority = 1000;

    /// <summary>Copies that there are to be at least.</summary>
    public int MinReplicas { get; init; }

    /// <summary>Copies beyond it are taken away again, unless they are in use; null: none are.</summary>
    public int? MaxReplicas { get; init; }

    /// <summary>Labels of which a worker must have all to count, its site among them.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init => field = value ?? new Dictionary<string, string>(); } = new Dictionary<string, string>();

    /// <summary>Labels, and of each the values, of which a worker must have none to count; null: none.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>>? ExcludedLabels { get; init; }

    /// <summary>Of workers that count, those that have more of these labels, with any of the values, get new copies first; null: none.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>>? PreferredLabels { get; init; }

    /// <summary>So many copies as there are to be at least are kept in memory, not on disk alone.</summary>
    public bool Warm { get; init; }

    /// <summary>Copies stay on disk whatever room others need.</summary>
    public bool Pin { get; init; }

    /// <summary>Of two models that have no room beside each other, or wait for each other, the greater one comes first.</summary>
    public int Priority { get; init; }

    /// <summary>Whether a worker of these labels counts.</summary>
    public bool Admits(IReadOnlyDictionary<string, string> labels) =>
        Labels.All(wanted => labels.TryGetValue(wanted.Key, out string? value) && value.Equals(wanted.Value, StringComparison.OrdinalIgnoreCase)) && !Excludes(labels);

    /// <summary>Whether a worker of these labels has one that none may have.</summary>
    public bool Excludes(IReadOnlyDictionary<string, string> labels) => CountOf(ExcludedLabels, labels) > 0;

    /// <summary>How many of the preferred labels a worker of these has.</summary>
    public int PreferenceOf(IReadOnlyDictionary<string, string> labels) => CountOf(PreferredLabels, labels);

    private static int CountOf(IReadOnlyDictionary<string, IReadOnlyList<string>>? wanted, IReadOnlyDictionary<string, string> labels) =>
        wanted?.Count(label => labels.TryGetValue(label.Key, out string? value) && label.Value.Contains(value, StringComparer.OrdinalIgnoreCase)) ?? 0;
}
