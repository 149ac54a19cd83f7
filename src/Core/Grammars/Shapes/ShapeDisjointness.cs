using System.Collections.Immutable;
using OllamaMax.Grammars.Automata;
using OllamaMax.Grammars.Schemas;

namespace OllamaMax.Grammars.Shapes;

/// <summary>Whether no value can satisfy two shapes at once, as far as that can be proven: what oneOf asks of its branches.</summary>
internal sealed class ShapeDisjointness(ShapeReader reader, ValueCheck values)
{
    private readonly Dictionary<(SchemaSet, SchemaSet), bool> _known = [];
    private int _depth;

    public bool AreDisjoint(Shape first, Shape second, ImmutableHashSet<SchemaNode> path)
    {
        if (first.Kind != second.Kind)
            return true;
        if (first is ConstantShape constant)
            return !values.Accepts(second, constant.Value, path);
        if (second is ConstantShape)
            return AreDisjoint(second, first, path);
        if (ShapeMerger.Merge(first, second) is not { } common)
            return true;
        return (first, second) switch
        {
            (StringShape, StringShape) => IsEmpty((StringShape)common),
            (ArrayShape one, ArrayShape two) => AreDisjoint(one, two, path),
            (ObjectShape one, ObjectShape two) => AreDisjoint(one, two, path),
            _ => false,
        };
    }

    /// <summary>
    /// Makes two objects disjoint by requiring a property that tells them apart wherever it stands: what a discriminator is, when a
    /// generator of schemas has given it a default and so left it optional.
    /// </summary>
    /// <returns>Null where there is no such property.</returns>
    public (ObjectShape First, ObjectShape Second)? TellApart(ObjectShape first, ObjectShape second, ImmutableHashSet<SchemaNode> path)
    {
        IEnumerable<string> common = first.Rules.SelectMany(rule => rule.Declared).Select(property => property.Key)
            .Intersect(second.Rules.SelectMany(rule => rule.Declared).Select(property => property.Key));
        return common.FirstOrDefault(name => AreDisjoint(Of(first, name), Of(second, name), path)) is { } discriminator
            ? (Requiring(first, discriminator), Requiring(second, discriminator))
            : null;
    }

    private static ObjectShape Requiring(ObjectShape shape, string name) => shape with { Required = [.. shape.Required.Union([name])] };

    private static SchemaSet Of(ObjectShape shape, string name) =>
        shape.Rules.Aggregate(SchemaSet.Anything, (set, rule) => set.And(rule.For(name)));

    private static SchemaSet Of(ArrayShape shape, int index) =>
        shape.Rules.Aggregate(SchemaSet.Anything, (set, rule) => set.And(rule.For(index)));

    private static bool IsEmpty(StringShape shape)
    {
        try
        {
            return StringTexts.Of(shape) is { IsEmpty: true };
        }
        catch (AutomatonTooLargeException)
        {
            // Not proven, which is all that is asked.
            return false;
        }
    }

    private bool AreDisjoint(ArrayShape one, ArrayShape two, ImmutableHashSet<SchemaNode> path) =>
        Enumerable.Range(0, Math.Min(Math.Min(one.Least, two.Least), GrammarLimits.Alternatives))
            .Any(index => AreDisjoint(Of(one, index), Of(two, index), path));

    private bool AreDisjoint(ObjectShape one, ObjectShape two, ImmutableHashSet<SchemaNode> path) =>
        one.Required.Any(name => IsForbidden(Of(two, name), path) || (two.Required.Contains(name) && AreDisjoint(Of(one, name), Of(two, name), path)))
        || two.Required.Any(name => IsForbidden(Of(one, name), path));

    private bool IsForbidden(SchemaSet set, ImmutableHashSet<SchemaNode> path) =>
        !reader.LeadsBack(set, path) && reader.Read(set, path).Count == 0;

    private bool AreDisjoint(SchemaSet one, SchemaSet two, ImmutableHashSet<SchemaNode> path)
    {
        if (_known.TryGetValue((one, two), out bool known))
            return known;
        // A schema that is still being read says nothing yet.
        if (one.Equals(two) || _depth == GrammarLimits.Comparisons || reader.LeadsBack(one, path) || reader.LeadsBack(two, path))
            return false;
        // Where the question leads back to itself, nothing has been proven.
        _known[(one, two)] = false;
        _depth++;
        IReadOnlyList<Shape> others = reader.Read(two, path);
        bool areDisjoint = reader.Read(one, path).All(shape => others.All(other => AreDisjoint(shape, other, path)));
        _depth--;
        return _known[(one, two)] = areDisjoint;
    }
}
