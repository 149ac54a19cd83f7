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
    /// Makes an object disjoint from another by requiring a property that tells them apart wherever it stands: what a discriminator is,
    /// when a generator of schemas has given it a default and so left it optional.
    /// </summary>
    /// <returns>Null where there is no such property.</returns>
    public ObjectShape? TellApart(ObjectShape shape, ObjectShape other, ImmutableHashSet<SchemaNode> path)
    {
        IEnumerable<string> names = shape.Rules.SelectMany(rule => rule.Declared).Select(property => property.Key).Distinct(StringComparer.Ordinal);
        return names.FirstOrDefault(name => AreDisjoint(Of(shape, name), Of(other, name), path)) is { } discriminator
            ? shape with { Required = [.. shape.Required.Union([discriminator])] }
            : null;
    }

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

    /// <summary>A property that one of them must have, with a value that the other does not allow there.</summary>
    private bool AreDisjoint(ObjectShape one, ObjectShape two, ImmutableHashSet<SchemaNode> path) =>
        one.Required.Union(two.Required).Any(name => AreDisjoint(Of(one, name), Of(two, name), path));

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
