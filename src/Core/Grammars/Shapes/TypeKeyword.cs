using System.Text.Json;
using OllamaMax.Grammars.Schemas;

namespace OllamaMax.Grammars.Shapes;

internal static class TypeKeyword
{
    /// <returns>Null where the schema names no type.</returns>
    public static IReadOnlyList<string>? Read(SchemaNode node)
    {
        SchemaFields fields = new(node);
        if (fields.Find("type") is not { } value)
            return null;
        IReadOnlyList<string> types = value.ValueKind == JsonValueKind.String ? [value.GetString()!] : fields.Texts("type");
        if (types.Count == 0 || types.Any(type => Kind(type) is null))
            throw node.Refuse("type", "must be object, array, string, number, integer, boolean or null, or an array of these");
        return types;
    }

    public static JsonKind? Kind(string type) => type switch
    {
        "object" => JsonKind.Object,
        "array" => JsonKind.Array,
        "string" => JsonKind.String,
        "number" or "integer" => JsonKind.Number,
        "boolean" => JsonKind.Boolean,
        "null" => JsonKind.Null,
        _ => null,
    };
}
