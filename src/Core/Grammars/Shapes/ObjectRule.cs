using OllamaMax.Grammars.Automata;
using OllamaMax.Grammars.Schemas;

namespace OllamaMax.Grammars.Shapes;

/// <summary>What one schema says about an object's properties: properties, patternProperties and additionalProperties.</summary>
/// <param name="Declared">As ordered in the schema.</param>
/// <param name="Others">What properties are that neither a name nor a pattern speaks of; null: it does not say, and they may be anything.</param>
internal sealed record ObjectRule(
    IReadOnlyList<KeyValuePair<string, SchemaSet>> Declared, IReadOnlyList<KeyValuePair<Automaton, SchemaSet>> Patterns, SchemaSet? Others)
{
    private readonly Dictionary<string, SchemaSet> _byName = new(Declared, StringComparer.Ordinal);

    public SchemaSet For(string name)
    {
        SchemaSet set = OfPatterns([.. Patterns.Where(pattern => pattern.Key.Contains(name))]);
        if (_byName.TryGetValue(name, out SchemaSet? declared))
            return declared.And(set);
        return Patterns.Any(pattern => pattern.Key.Contains(name)) ? set : Others ?? SchemaSet.Anything;
    }

    /// <summary>For a name that is not declared and that these patterns match.</summary>
    public SchemaSet ForUndeclared(IReadOnlyList<KeyValuePair<Automaton, SchemaSet>> matching) =>
        matching.Count == 0 ? Others ?? SchemaSet.Anything : OfPatterns(matching);

    private static SchemaSet OfPatterns(IReadOnlyList<KeyValuePair<Automaton, SchemaSet>> matching) =>
        matching.Aggregate(SchemaSet.Anything, (set, pattern) => set.And(pattern.Value));
}
