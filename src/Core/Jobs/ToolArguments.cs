using System.Text.Json;
using OllamaMax.Grammars;
using OllamaMax.Grammars.Schemas;
using OllamaMax.Grammars.Shapes;
using OllamaMax.Jobs.Assembling;

namespace OllamaMax.Jobs;

/// <summary>
/// Of which types a tool's arguments may be, by its JSON Schema: some forms write texts without quotes, and only the schema tells <c>12</c> the text from
/// the number. Reads any schema, also one that no grammar can say: what it does not understand allows everything.
/// </summary>
public sealed class ToolArguments
{
    /// <summary>Schemas that are looked at for one argument: branches that refer to each other are more than anybody could read.</summary>
    private const int MostSchemas = 200;

    private readonly SchemaDocument _document;
    private int _schemas;

    private ToolArguments(JsonElement schema) => _document = new SchemaDocument(schema);

    /// <returns>By function and argument; null where the form tells itself what is a text.</returns>
    public static IReadOnlyDictionary<string, IReadOnlyDictionary<string, ArgumentTypes>>? Of(ToolCallForm form, IEnumerable<CallableTool> tools)
    {
        if (CallForms.Of(form)?.Syntax is not TaggedSyntax { KeyEndOfJson: "" })
            return null;
        Dictionary<string, IReadOnlyDictionary<string, ArgumentTypes>> all = [];
        foreach (CallableTool tool in tools)
            all[tool.Name] = Of(tool.Parameters);
        return all;
    }

    /// <param name="parameters">The tool's schema; null where it has none.</param>
    /// <returns>By the argument's name; empty where the schema names none.</returns>
    public static IReadOnlyDictionary<string, ArgumentTypes> Of(JsonElement? parameters)
    {
        Dictionary<string, ArgumentTypes> types = [];
        if (parameters is not { ValueKind: JsonValueKind.Object } schema
            || !schema.TryGetProperty("properties", out JsonElement properties) || properties.ValueKind != JsonValueKind.Object)
        {
            return types;
        }
        foreach (JsonProperty property in properties.EnumerateObject())
        {
            ArgumentTypes found = new ToolArguments(schema).TypesIn(property.Value);
            types[property.Name] = found == ArgumentTypes.None ? ArgumentTypes.Any : found;
        }
        return types;
    }

    /// <summary>The type of a value that is there.</summary>
    internal static ArgumentTypes TypeOf(JsonElement value) => (ArgumentTypes)(1 << (int)new ConstantShape(value).Kind);

    private ArgumentTypes TypesIn(JsonElement schema)
    {
        if (schema.ValueKind != JsonValueKind.Object || ++_schemas > MostSchemas)
            return ArgumentTypes.Any;
        ArgumentTypes types = ArgumentTypes.Any;
        foreach (JsonProperty keyword in schema.EnumerateObject())
        {
            types &= keyword.Name switch
            {
                "type" => Union(keyword.Value, Named),
                "enum" => Union(keyword.Value, TypeOf),
                "const" => TypeOf(keyword.Value),
                "anyOf" or "oneOf" => Union(keyword.Value, TypesIn),
                "allOf" => Elements(keyword.Value).Aggregate(ArgumentTypes.Any, (all, part) => all & TypesIn(part)),
                "$ref" => Referred(keyword.Value) is { } target ? TypesIn(target) : ArgumentTypes.Any,
                _ => ArgumentTypes.Any,
            };
        }
        return types;
    }

    private static ArgumentTypes Named(JsonElement type) => type.ValueKind == JsonValueKind.String && TypeKeyword.Kind(type.GetString()!) is { } kind
        ? (ArgumentTypes)(1 << (int)kind)
        : ArgumentTypes.Any;

    private static ArgumentTypes Union(JsonElement values, Func<JsonElement, ArgumentTypes> typesOf) =>
        Elements(values).Aggregate(ArgumentTypes.None, (all, value) => all | typesOf(value));

    private static JsonElement[] Elements(JsonElement value) => value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray()] : [value];

    private JsonElement? Referred(JsonElement reference)
    {
        try
        {
            return reference.ValueKind == JsonValueKind.String ? _document.Resolve(_document.Root, reference.GetString()!).Element : null;
        }
        catch (SchemaException)
        {
            return null;
        }
    }
}
