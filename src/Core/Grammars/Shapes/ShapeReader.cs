using System.Collections.Immutable;
using OllamaMax.Grammars.Schemas;

namespace OllamaMax.Grammars.Shapes;

/// <summary>
/// Finds the ways in which a value can satisfy schemas: follows $ref, merges allOf, multiplies anyOf and oneOf out. What stands within
/// objects and arrays is not looked into, so schemas may recurse through them.
/// </summary>
internal sealed class ShapeReader
{
    private readonly SchemaDocument _document;
    private readonly KeywordReader _keywords;
    private readonly ValueCheck _values;
    private readonly ShapeDisjointness _disjointness;
    private readonly Dictionary<SchemaSet, IReadOnlyList<Shape>> _known = [];

    public ShapeReader(SchemaDocument document)
    {
        _document = document;
        _keywords = new KeywordReader(document);
        _values = new ValueCheck(this);
        _disjointness = new ShapeDisjointness(this, _values);
    }

    public IReadOnlyList<Shape> Read(SchemaSet set) => Read(set, []);

    /// <param name="path">Schemas that are being read: meeting one of them again is a circle.</param>
    /// <returns>None where nothing satisfies them all.</returns>
    public IReadOnlyList<Shape> Read(SchemaSet set, ImmutableHashSet<SchemaNode> path)
    {
        if (_known.TryGetValue(set, out IReadOnlyList<Shape>? known))
            return known;
        if (_known.Count > GrammarLimits.Values)
            throw _document.Root.Refuse("", $"has more than {GrammarLimits.Values} different values");
        Collection collection = new();
        foreach (SchemaNode node in set.Nodes)
            Collect(node, path, collection);
        IReadOnlyList<Shape> shapes = collection.Shapes;
        foreach (Union union in collection.Unions)
            shapes = Multiply(shapes, union);
        return _known[set] = shapes;
    }

    /// <summary>Whether reading these would lead back to what is being read.</summary>
    public bool LeadsBack(SchemaSet set, ImmutableHashSet<SchemaNode> path)
    {
        HashSet<SchemaNode> reached = [.. set.Nodes];
        Stack<SchemaNode> open = new(set.Nodes);
        while (open.TryPop(out SchemaNode? node))
        {
            if (path.Contains(node))
                return true;
            foreach (SchemaNode next in Same(node).Where(reached.Add))
                open.Push(next);
        }
        return false;
    }

    private void Collect(SchemaNode node, ImmutableHashSet<SchemaNode> path, Collection collection)
    {
        if (path.Contains(node))
            throw node.Refuse("$ref", "leads back to itself without an object or array between");
        if (!collection.Seen.Add(node))
            return;
        if (path.Count == GrammarLimits.References)
            throw node.Refuse("", $"is reached through more than {GrammarLimits.References} schemas of the same value");
        path = path.Add(node);
        collection.Shapes = Both(node, collection.Shapes, _keywords.Read(node), path);
        if (KeywordReader.ReadConstants(node) is { } constants)
            collection.Shapes = Both(node, collection.Shapes, constants, path);
        if (_keywords.Reference(node) is { } target)
            Collect(target, path, collection);
        foreach (SchemaNode part in _keywords.Branches(node, "allOf"))
            Collect(part, path, collection);
        foreach (string keyword in (string[])["anyOf", "oneOf"])
        {
            if (_keywords.Branches(node, keyword) is { Count: > 0 } branches)
                collection.Unions.Add(new(node, keyword, branches, path));
        }
    }

    private IEnumerable<SchemaNode> Same(SchemaNode node) =>
        ((string[])["allOf", "anyOf", "oneOf"]).SelectMany(keyword => _keywords.Branches(node, keyword))
            .Concat(_keywords.Reference(node) is { } target ? [target] : []);

    private List<Shape> Multiply(IReadOnlyList<Shape> shapes, Union union)
    {
        List<Shape>[] branches = [.. union.Branches.Select(
            branch => Both(union.Node, shapes, Read(SchemaSet.Of(branch), union.Path), union.Path))];
        if (union.Keyword == "oneOf")
            TellApart(branches, union);
        return Limited(union.Node, union.Keyword, [.. branches.SelectMany(branch => branch)]);
    }

    /// <summary>Sees to it that no value of one branch is one of another too: of the other as it is asked for, not as it is narrowed here.</summary>
    private void TellApart(List<Shape>[] branches, Union union)
    {
        Shape[][] asked = [.. branches.Select(branch => branch.ToArray())];
        for (int i = 0; i < branches.Length; i++)
        {
            for (int j = 0; j < branches.Length; j++)
            {
                if (i != j)
                    branches[i] = [.. branches[i].Select(shape => Apart(shape, asked[j], i, j, union)).OfType<Shape>()];
            }
        }
    }

    /// <returns>Null where nobody means the shape, and another branch has it too.</returns>
    private Shape? Apart(Shape shape, Shape[] others, int branch, int otherBranch, Union union)
    {
        foreach (Shape other in others)
        {
            if (_disjointness.AreDisjoint(shape, other, union.Path))
                continue;
            if (!shape.IsSpokenOf)
                return null;
            shape = shape is ObjectShape one && other is ObjectShape two && _disjointness.TellApart(one, two, union.Path) is { } apart
                ? apart
                : throw union.Node.Refuse("oneOf", $"has branches {Math.Min(branch, otherBranch)} and {Math.Max(branch, otherBranch)} that a value may "
                    + "satisfy both, or that cannot be told apart: give them different types, or a required property with different constants, or write anyOf");
        }
        return shape;
    }

    private List<Shape> Both(SchemaNode node, IReadOnlyList<Shape> first, IReadOnlyList<Shape> second, ImmutableHashSet<SchemaNode> path)
    {
        List<Shape> both = [];
        foreach (Shape one in first)
        {
            foreach (Shape two in second)
            {
                if (Both(one, two, path) is { } shape)
                    both.Add(shape);
            }
        }
        return Limited(node, "", both);
    }

    private Shape? Both(Shape one, Shape two, ImmutableHashSet<SchemaNode> path)
    {
        if (one is ConstantShape constant)
            return _values.Accepts(two, constant.Value, path) ? one : null;
        return two is ConstantShape ? Both(two, one, path) : ShapeMerger.Merge(one, two);
    }

    private static List<Shape> Limited(SchemaNode node, string keyword, List<Shape> shapes) =>
        shapes.Count(shape => shape is not ConstantShape) <= GrammarLimits.Alternatives
            ? shapes
            : throw node.Refuse(keyword, $"allows a value in more than {GrammarLimits.Alternatives} ways");

    /// <summary>What has been found while one set is read.</summary>
    private sealed class Collection
    {
        public HashSet<SchemaNode> Seen { get; } = [];

        public IReadOnlyList<Shape> Shapes { get; set; } = KeywordReader.Anything;

        public List<Union> Unions { get; } = [];
    }

    private sealed record Union(SchemaNode Node, string Keyword, IReadOnlyList<SchemaNode> Branches, ImmutableHashSet<SchemaNode> Path);
}
