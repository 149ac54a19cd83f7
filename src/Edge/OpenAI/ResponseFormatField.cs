using System.Text.Json;
using OllamaMax.Edge.Http;
using OllamaMax.Grammars;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.OpenAI;

/// <summary>
/// The field <c>response_format</c>, and its like in <c>/v1/responses</c>. A schema binds the answer whether it is strict or not; one that no grammar can say is refused where it is
/// strict, and is any JSON object otherwise.
/// </summary>
internal static class ResponseFormatField
{
    /// <summary>Null: free text.</summary>
    public static RequestedFormat? Read(JsonFields request) => Read(request, "response_format", ReadSchema);

    /// <summary>The field <c>format</c> of <c>/v1/responses</c>' <c>text</c>: a schema stands in it without an object around. Null: free text.</summary>
    public static RequestedFormat? ReadFlat(JsonFields text) => Read(text, "format", OfNamedSchema);

    private static RequestedFormat? Read(JsonFields parent, string name, Func<JsonFields, RequestedFormat?> readSchema)
    {
        if (parent.Object(name) is not { } format)
            return null;
        switch (format.Text("type"))
        {
            case "text":
                return null;
            case "json_object":
                return RequestedFormat.Json;
            case "json_schema":
                return readSchema(format);
            default:
                format.Errors.Add(format.PathOf("type"), "must be \"text\", \"json_object\" or \"json_schema\"");
                return null;
        }
    }

    private static RequestedFormat? ReadSchema(JsonFields format)
    {
        if (format.Object("json_schema") is { } outer)
            return OfNamedSchema(outer);
        format.Errors.Add(format.PathOf("json_schema"), "is required");
        return null;
    }

    private static RequestedFormat OfNamedSchema(JsonFields outer)
    {
        if (string.IsNullOrEmpty(outer.Text("name")))
            outer.Errors.Add(outer.PathOf("name"), "is required");
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
