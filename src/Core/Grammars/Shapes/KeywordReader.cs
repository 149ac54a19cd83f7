using System.Text.Json;
using OllamaMax.Grammars.Numbers;
using OllamaMax.Grammars.Schemas;

namespace OllamaMax.Grammars.Shapes;

/// <summary>Reads the keywords of one schema, each once.</summary>
internal sealed class KeywordReader(SchemaDocument document)
{
    private readonly Dictionary<SchemaNode, IReadOnlyList<Shape>> _known = [];

    public static IReadOnlyList<Shape> Anything { get; } =
    [
        new ObjectShape(), new ArrayShape(), new StringShape(), new NumberShape(NumberRange.All), new PlainShape(JsonKind.Boolean), new PlainShape(JsonKind.Null),
    ];

    /// <summary>What the schema says by itself, without what enum, const, $ref, allOf, anyOf and oneOf add.</summary>
    public IReadOnlyList<Shape> Read(SchemaNode node)
    {
        if (!_known.TryGetValue(node, out IReadOnlyList<Shape>? shapes))
            shapes = _known[node] = ReadOnce(node);
        return shapes;
    }

    /// <summary>The values that enum and const leave; null where there is neither.</summary>
    public static IReadOnlyList<Shape>? ReadConstants(SchemaNode node)
    {
        SchemaFields fields = new(node);
        JsonElement[]? values = fields.Has("enum") ? [.. fields.Items("enum")] : null;
        if (values?.Length > GrammarLimits.Constants)
            throw node.Refuse("enum", $"has more than {GrammarLimits.Constants} values");
        if (fields.Find("const") is { } constant)
            values = values is null || values.Any(value => JsonElement.DeepEquals(value, constant)) ? [constant] : [];
        return values is null ? null : [.. values.Select(value => new ConstantShape(value) { IsSpokenOf = true })];
    }

    public SchemaNode? Reference(SchemaNode node) =>
        new SchemaFields(node).Text("$ref") is { } reference ? document.Resolve(node, reference) : null;

    /// <summary>The branches of allOf, anyOf or oneOf; none where it is absent.</summary>
    public IReadOnlyList<SchemaNode> Branches(SchemaNode node, string keyword)
    {
        SchemaFields fields = new(node);
        if (!fields.Has(keyword))
            return [];
        SchemaNode[] branches = [.. fields.Items(keyword).Select((branch, i) => document.Child(node, branch, keyword, $"{i}"))];
        return branches.Length > 0 ? branches : throw node.Refuse(keyword, "must have a branch");
    }

    private IReadOnlyList<Shape> ReadOnce(SchemaNode node)
    {
        switch (node.Element.ValueKind)
        {
            case JsonValueKind.True:
                return Anything;
            case JsonValueKind.False:
                return [];
            case JsonValueKind.Object:
                break;
            default:
                throw node.Refuse("", "must be a schema: an object or a boolean");
        }
        SchemaKeywords.Check(node);
        IReadOnlyList<string>? types = TypeKeyword.Read(node);
        Shape[] shapes =
        [
            new ObjectKeywords(document, node).Read(), new ArrayKeywords(document, node).Read(), StringKeywords.Read(node),
            NumberKeywords.Read(node, isWhole: types is not null && types.Contains("integer") && !types.Contains("number")),
            new PlainShape(JsonKind.Boolean), new PlainShape(JsonKind.Null),
        ];
        return types is null
            ? shapes
            : [.. shapes.Where(shape => types.Any(type => TypeKeyword.Kind(type) == shape.Kind)).Select(shape => shape with { IsSpokenOf = true })];
    }
}
