namespace OllamaMax.Grammars.Schemas;

/// <summary>Schemas that one value must satisfy, all of them; none: it may be anything. Sets of the same schemas are equal.</summary>
internal sealed class SchemaSet : IEquatable<SchemaSet>
{
    private readonly string _key;

    private SchemaSet(IReadOnlyList<SchemaNode> nodes)
    {
        Nodes = nodes;
        _key = string.Join('\n', nodes.Select(node => node.Location).Order(StringComparer.Ordinal));
    }

    public static SchemaSet Anything { get; } = new([]);

    /// <summary>In the order in which they were met: the first says how properties are ordered.</summary>
    public IReadOnlyList<SchemaNode> Nodes { get; }

    public static SchemaSet Of(SchemaNode node) => new([node]);

    public SchemaSet And(SchemaSet other) =>
        other.Nodes.Count == 0 ? this : Nodes.Count == 0 ? other : new([.. Nodes.Union(other.Nodes)]);

    public bool Equals(SchemaSet? other) => other is not null && _key == other._key;

    public override bool Equals(object? obj) => Equals(obj as SchemaSet);

    public override int GetHashCode() => _key.GetHashCode(StringComparison.Ordinal);

    public override string ToString() => Nodes.Count == 0 ? "anything" : string.Join(" and ", Nodes);
}
