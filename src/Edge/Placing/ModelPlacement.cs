using System.ComponentModel.DataAnnotations;
using OllamaMax.Placement;

namespace OllamaMax.Edge.Placing;

/// <summary>Where a model's jobs may run, and who chooses among those workers.</summary>
public sealed class ModelPlacement
{
    public const string PrefixAffinity = "prefix-affinity";
    public const string LeastLoaded = "least-loaded";

    /// <summary><see cref="PrefixAffinity"/> or <see cref="LeastLoaded"/>.</summary>
    public string? Policy { get; set; }

    /// <summary>What a worker must have: <c>gpu=a100, site=berlin</c>.</summary>
    public string? Labels { get; set; }

    /// <summary>The oldest version of the worker's program, such as <c>0.2.0</c>.</summary>
    public string? MinVersion { get; set; }

    /// <summary>These, and what is not said here as <paramref name="others"/> say.</summary>
    internal ModelPlacement Or(ModelPlacement others) => new()
    {
        Policy = Policy ?? others.Policy,
        Labels = Labels ?? others.Labels,
        MinVersion = MinVersion ?? others.MinVersion,
    };

    /// <summary>Says one of these by its name; false where there is none of that name.</summary>
    internal bool TrySet(string name, string value)
    {
        switch (name.ToUpperInvariant())
        {
            case "POLICY":
                Policy = value;
                return true;
            case "LABELS":
                Labels = value;
                return true;
            case "MINVERSION":
                MinVersion = value;
                return true;
            default:
                return false;
        }
    }

    /// <param name="whose">The setting's place, for people.</param>
    internal IEnumerable<ValidationResult> Errors(string whose)
    {
        if (Policy is not (null or PrefixAffinity or LeastLoaded))
            yield return new($"{whose}:Policy is '{Policy}', neither {PrefixAffinity} nor {LeastLoaded}.");
        if (!LabelSelector.TryParse(Labels, out _, out string? error))
            yield return new($"{whose}:Labels: {error}.");
        if (MinVersion is not null && !Version.TryParse(MinVersion, out _))
            yield return new($"{whose}:MinVersion is '{MinVersion}', not a version such as 0.2.0.");
    }
}
