using OllamaMax.Models;

namespace OllamaMax.Security;

/// <summary>
/// The models that a key may use: names as clients write them, or beginnings of names that end in <c>*</c>. No list: all models. An alias is a name too:
/// whoever may use it may use what it stands for.
/// </summary>
public sealed class ModelAllowList
{
    private readonly HashSet<ModelName>? _names;
    private readonly string[] _beginnings = [];

    private ModelAllowList()
    {
    }

    /// <param name="patterns">As <see cref="FindError"/> lets them pass; null: all models.</param>
    /// <exception cref="FormatException">A pattern is none.</exception>
    public ModelAllowList(IReadOnlyList<string>? patterns)
    {
        Patterns = patterns;
        if (patterns is null)
            return;
        _names = [.. patterns.Where(pattern => !IsBeginning(pattern)).Select(ModelName.Parse)];
        _beginnings = [.. patterns.Where(IsBeginning).Select(pattern => pattern[..^1])];
    }

    public static ModelAllowList All { get; } = new();

    /// <summary>What it was made of; null: all models.</summary>
    public IReadOnlyList<string>? Patterns { get; }

    /// <summary>Whether every model is allowed.</summary>
    public bool IsAll => _names is null;

    /// <param name="name">Of a model, or of an alias.</param>
    public bool Allows(ModelName name) => _names is null
        || _names.Contains(name)
        || Array.Exists(_beginnings, beginning => name.ToString().StartsWith(beginning, StringComparison.OrdinalIgnoreCase));

    /// <summary>Whether a model may be used that was asked for by this name.</summary>
    /// <param name="asked">As the client wrote it.</param>
    /// <param name="model">What answers to it.</param>
    public bool Allows(string asked, ModelName model) =>
        _names is null || Allows(model) || (ModelName.TryParse(asked, out ModelName? name, out _) && Allows(name));

    /// <summary>What is wrong with a pattern, for people; null: nothing.</summary>
    public static string? FindError(string pattern) =>
        IsBeginning(pattern) || ModelName.TryParse(pattern, out _, out string? error) ? null : error;

    private static bool IsBeginning(string pattern) => pattern is [.., '*'];
}
