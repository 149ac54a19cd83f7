using OllamaMax.Models;

namespace OllamaMax.Edge.Aliases;

/// <summary>The aliases as they are given, read: each with all that it may come to.</summary>
internal sealed class AliasChains
{
    private readonly Dictionary<ModelName, ModelName[]> _given = [];
    private readonly Dictionary<ModelName, Alias> _all = [];
    private readonly List<string> _errors = [];

    /// <param name="chains">By alias, as in <see cref="AliasOptions.Chains"/>.</param>
    public AliasChains(IEnumerable<KeyValuePair<string, string>> chains)
    {
        Dictionary<ModelName, string> texts = [];
        foreach (var (alias, chain) in chains)
        {
            if (!ModelName.TryParse(alias, out ModelName? name, out string? error))
                _errors.Add($"alias '{alias}': {error}");
            else if (!texts.TryAdd(name, alias))
                _errors.Add($"alias '{alias}' and alias '{texts[name]}' are one name");
            else
                _given.Add(name, Read(alias, chain));
        }
        foreach (ModelName name in _given.Keys)
            _all.Add(name, new(texts[name], name, Follow(name)));
    }

    /// <summary>Everything that is wrong, for people; while there is any, the aliases cannot be used.</summary>
    public IReadOnlyList<string> Errors => _errors;

    public IReadOnlyCollection<Alias> All => _all.Values;

    /// <summary>Null where <paramref name="name"/> is no alias.</summary>
    public Alias? Find(string name) =>
        _all.Count > 0 && ModelName.TryParse(name, out ModelName? parsed, out _) ? _all.GetValueOrDefault(parsed) : null;

    private ModelName[] Read(string alias, string chain)
    {
        List<ModelName> names = [];
        foreach (string text in chain.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (ModelName.TryParse(text, out ModelName? name, out string? error))
                names.Add(name);
            else
                _errors.Add($"alias '{alias}': {error}");
        }
        if (names.Count == 0)
            _errors.Add($"alias '{alias}' names no model: it is written {alias}=model,model");
        return [.. names];
    }

    /// <summary>
    /// All names in the order to try them. An alias among them stands for a model that is published under its name, and then for its own chain.
    /// </summary>
    private List<ModelName> Follow(ModelName alias)
    {
        List<ModelName> names = [];
        HashSet<ModelName> seen = [];
        Walk(alias);
        return names;

        void Walk(ModelName from)
        {
            foreach (ModelName next in _given.GetValueOrDefault(from, []))
            {
                if (next == alias)
                    _errors.Add($"alias '{alias}' comes back to itself, through '{from}'");
                else if (seen.Add(next))
                {
                    names.Add(next);
                    Walk(next);
                }
            }
        }
    }
}

/// <param name="Text">As it is given, and listed.</param>
/// <param name="Name">What a request's model is compared with.</param>
/// <param name="Chain">What it may come to, the first that is published and served.</param>
internal sealed record Alias(string Text, ModelName Name, IReadOnlyList<ModelName> Chain);
