using OllamaMax.Grammars.Automata;
using OllamaMax.Grammars.Gbnf;
using OllamaMax.Grammars.Schemas;
using OllamaMax.Grammars.Shapes;

namespace OllamaMax.Grammars.Writing;

/// <summary>
/// Writes one property that is not named in the schema. Where a schema names properties and does not say what others may be, none is
/// written: by the letter they may be anything, but nobody means that.
/// </summary>
internal sealed class OtherProperties(
    SchemaWriter schemas, JsonRules json, SchemaSet set, ObjectShape shape, IReadOnlyList<string> named, string hint)
{
    /// <summary>
    /// Where a pattern must not match, the name is of characters that validators have in the same classes, and of none that ends a line:
    /// for some, <c>$</c> is before the last of those too.
    /// </summary>
    private static readonly Automaton s_plainNames = AutomatonBuilder.Build(0, _ => [(CharSet.Of([(' ', '~')]), 0)], _ => true);

    private readonly KeyValuePair<Automaton, SchemaSet>[] _patterns = [.. shape.Rules.SelectMany(rule => rule.Patterns)];

    private bool IsOpen => shape.Rules.Any(rule => rule.Others is not null)
        || shape.Rules.All(rule => rule.Declared.Count == 0 && rule.Patterns.Count == 0);

    /// <returns>None where there may be none.</returns>
    public Expression Write()
    {
        if (_patterns.Length > GrammarLimits.PatternProperties)
            throw set.Nodes[0].Refuse("patternProperties", $"are more than {GrammarLimits.PatternProperties}, those of allOf and so on counted in");
        try
        {
            return Expression.Any(Enumerable.Range(IsOpen ? 0 : 1, (1 << _patterns.Length) - (IsOpen ? 0 : 1))
                .Select(Write).Where(way => !Expression.IsNever(way)));
        }
        catch (AutomatonTooLargeException)
        {
            throw set.Nodes[0].Refuse("", $"needs more than {GrammarLimits.States} states for the names that its properties may have");
        }
    }

    /// <param name="matching">Which of the patterns match the name, bit by bit.</param>
    private Expression Write(int matching)
    {
        HashSet<KeyValuePair<Automaton, SchemaSet>> matched = [.. _patterns.Where((_, i) => (matching >> i & 1) == 1)];
        SchemaSet meaning = shape.Rules.Aggregate(
            SchemaSet.Anything, (all, rule) => all.And(rule.ForUndeclared([.. rule.Patterns.Where(matched.Contains)])));
        Expression value = schemas.ValueOf(meaning);
        return Expression.IsNever(value) ? value : json.Member(Name(matching), value);
    }

    private Expression Name(int matching)
    {
        if (named.Count == 0 && _patterns.Length == 0)
            return json.String;
        Automaton names = named.Count == 0 ? Automaton.Anything : Automaton.Texts(named).Complement();
        for (int i = 0; i < _patterns.Length; i++)
            names = names.Intersect((matching >> i & 1) == 1 ? _patterns[i].Key : _patterns[i].Key.Complement().Intersect(s_plainNames));
        Expression name = json.Quoted(names, $"{hint}-name");
        return name is Expression.Reference || Expression.IsNever(name) ? name : Expression.Of(schemas.Grammar.Add($"{hint}-name", name));
    }
}
