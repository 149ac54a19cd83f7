using System.Text.Json;
using OllamaMax.Edge.Http;
using OllamaMax.Grammars;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.OpenAI;

/// <summary>
/// The field <c>response_format</c>. A schema binds the answer whether it is strict or not; one that no grammar can say is refused where it is
/// strict, and is any JSON object otherwise.
/// </summary>
internal static class ResponseFormatField
{
    private const string Name = "response_format";

    /// <summary>Null: free text.</summary>
    public static RequestedFormat? Read(JsonFields request)
    {
        if (request.Object(Name) is not { } format)
            return null;
        switch (format.Text("type"))
        {
            case "text":
                return null;
            case "json_object":
                return RequestedFormat.Json;
            case "json_schema":
                return ReadSchema(format);
            default:
                request.Errors.Add($"{Name}.type", "must be \"text\", \"json_object\" or \"json_schema\"");
                return null;
        }
    }

    private static RequestedFormat? ReadSchema(JsonFields format)
    {
        if (format.Object("json_schema") is not { } outer)
        {
            format.Errors.Add(format.PathOf("json_schema"), "is required");
            return null;
        }
        if (string.IsNullOrEmpty(outer.Text("name")))
            format.Errors.Add(outer.PathOf("name"), "is required");
        outer.Text("description");
        return OfSchema(outer, "schema", outer.Flag("strict") ?? false);
    }

    /// <summary>The form that the schema in a field asks for.</summary>
    public static RequestedFormat OfSchema(JsonFields parent, string name, bool isStrict)
    {
        if (parent.Find(name) is not { } schema)
            return RequestedFormat.Json;
        string field = parent.PathOf(name);
        if (schema.ValueKind != JsonValueKind.Object)
            parent.Errors.Add(field, "must be a JSON Schema (an object)");
        else if (JsonGrammar.TryFromSchema(schema, out string? grammar, out SchemaError? error))
            return new(grammar, schema.Clone());
        else if (isStrict)
            parent.Errors.Add(ApiError.BadRequest($"{field}: {error}") with { Field = field });
        return schema.ValueKind == JsonValueKind.Object ? RequestedFormat.Json with { Source = schema.Clone() } : RequestedFormat.Json;
    }
}
