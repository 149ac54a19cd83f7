using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Idempotency;

namespace OllamaMax.Edge.OpenApi;

/// <summary>
/// Makes <c>/openapi.json</c> (https://spec.openapis.org/oas/v3.1.1.html) of the endpoints' routes and descriptions. Bodies of inferences are read field by
/// field and have no types, so their schemas are kept by hand (schemas.json); other answers' follow from their types.
/// </summary>
internal static class OpenApiDocument
{
    public static readonly string SchemasFile = $"{typeof(OpenApiDocument).Namespace}.schemas.json";

    private static readonly JsonSchemaExporterOptions OfAnswers =
        new() { TreatNullObliviousAsNonNullable = true, TransformSchemaNode = static (_, schema) => WithoutNullsRequired(schema) };

    private static readonly string[] Keys = ["bearer", "apiKey", "basic"];

    private const string KeyMeaning =
        "1 to 255 visible ASCII characters. The same request again under it gets the first one's answer, with idempotency-replayed: true; another request 422; one that comes while the first is being taken on as a job 409.";

    public static JsonObject Create(IEnumerable<Endpoint> endpoints, string version)
    {
        JsonObject paths = new();
        foreach (RouteEndpoint endpoint in endpoints.OfType<RouteEndpoint>())
        {
            if (endpoint.Metadata.GetMetadata<EndpointDescription>() is not { } description || description == EndpointDescription.Internal)
                continue;
            string path = PathOf(endpoint.RoutePattern);
            if (paths[path] is not JsonObject operations)
                paths[path] = operations = new JsonObject();
            operations[MethodOf(endpoint)] = Operation(endpoint, description);
        }
        return new()
        {
            ["openapi"] = "3.1.1",
            ["info"] = new JsonObject
            {
                ["title"] = "OllamaMax",
                ["version"] = version,
                ["description"] = "Ollama's, OpenAI's and Anthropic's APIs, and this server's own. Any other field that would change an answer is refused by name.",
            },
            ["paths"] = paths,
            ["components"] = new JsonObject { ["schemas"] = Schemas(), ["securitySchemes"] = SecuritySchemes() },
        };
    }

    /// <summary><c>/v1/models/{**id}</c> is <c>/v1/models/{id}</c> there.</summary>
    public static string PathOf(RoutePattern pattern) => $"/{string.Join('/', pattern.PathSegments.Select(segment => string.Concat(segment.Parts.Select(Text))))}";

    /// <summary>The first one: that it answers HEAD too is not said.</summary>
    public static string MethodOf(RouteEndpoint endpoint)
    {
#pragma warning disable CA1308 // Methods are lower case there.
        return (endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods is [var first, ..] ? first : HttpMethods.Get).ToLowerInvariant();
#pragma warning restore CA1308
    }

    private static string Text(RoutePatternPart part) => part switch
    {
        RoutePatternLiteralPart literal => literal.Content,
        RoutePatternParameterPart parameter => $"{{{parameter.Name}}}",
        RoutePatternSeparatorPart separator => separator.Content,
        _ => throw new InvalidOperationException($"A route has a part of kind {part.PartKind}."),
    };

    private static JsonObject Operation(RouteEndpoint endpoint, EndpointDescription description)
    {
        JsonNode[] parameters =
        [
            .. endpoint.RoutePattern.Parameters.Select(parameter => Parameter(parameter.Name, "path", null)),
            .. description.Query.Select(parameter => Parameter(parameter.Name, "query", parameter.Meaning)),
            .. description.TakesKey ? [Parameter(IdempotencyKey.Header, "header", KeyMeaning)] : (JsonNode[])[],
        ];
        JsonObject operation = new() { ["tags"] = new JsonArray(description.Api), ["summary"] = description.Summary };
        if (endpoint.Metadata.GetMetadata<IAllowAnonymous>() is null)
            operation["security"] = new JsonArray([.. Keys.Select(key => new JsonObject { [key] = new JsonArray() })]);
        if (endpoint.Metadata.GetMetadata<RequiredPermission>() is { } permission)
            operation["description"] = $"Needs the permission {permission.Permissions}.";
        if (parameters.Length > 0)
            operation["parameters"] = new JsonArray(parameters);
        if (description.Body is { } body)
            operation["requestBody"] = new JsonObject { ["required"] = true, ["content"] = Content("application/json", Reference(body)) };
        operation["responses"] = new JsonObject
        {
            [$"{description.Status}"] = Answer(description),
            ["default"] = new JsonObject { ["description"] = "An error.", ["content"] = Content("application/json", Reference(ErrorOf(description.Api))) },
        };
        return operation;
    }

    private static JsonObject Answer(EndpointDescription description)
    {
        JsonObject answer = new() { ["description"] = "Done." };
        if (description.Status == StatusCodes.Status204NoContent)
            return answer;
        JsonNode Schema() => description.Answer is { } name ? Reference(name)
            : description.AnswerType is { } type ? type.GetJsonSchemaAsNode(OfAnswers)
            : new JsonObject();
        JsonObject content = Content(description.ContentType, Schema());
        if (description.Stream is { } stream)
            content[stream] = new JsonObject { ["schema"] = Schema() };
        answer["content"] = content;
        return answer;
    }

    /// <summary>To the exporter every constructor's parameter is required; what is null is left out of most answers.</summary>
    private static JsonNode WithoutNullsRequired(JsonNode schema)
    {
        if (schema is not JsonObject all || all["required"] is not JsonArray required || all["properties"] is not JsonObject properties)
            return schema;
        JsonNode[] left = [.. required.OfType<JsonValue>().Where(name => !MayBeNull(properties[name.GetValue<string>()])).Select(name => name.DeepClone())];
        if (left.Length == 0)
            all.Remove("required");
        else
            all["required"] = new JsonArray(left);
        return all;
    }

    private static bool MayBeNull(JsonNode? schema) => schema switch
    {
        JsonObject all => all["type"] is JsonArray types && types.Any(type => type?.GetValue<string>() == "null"),
        // The schema `true`: anything.
        JsonValue => true,
        _ => false,
    };

    private static JsonObject Parameter(string name, string place, string? meaning)
    {
        JsonObject parameter = new() { ["name"] = name, ["in"] = place, ["required"] = place == "path", ["schema"] = new JsonObject { ["type"] = "string" } };
        if (meaning is not null)
            parameter["description"] = meaning;
        return parameter;
    }

    private static JsonObject Content(string type, JsonNode schema) => new() { [type] = new JsonObject { ["schema"] = schema } };

    private static JsonObject Reference(string schema) => new() { ["$ref"] = $"#/components/schemas/{schema}" };

    private static string ErrorOf(string api) => api switch
    {
        EndpointDescription.OpenAI => "OpenAIError",
        EndpointDescription.Anthropic => "AnthropicError",
        _ => "OllamaError",
    };

    private static JsonNode Schemas()
    {
        using Stream file = typeof(OpenApiDocument).Assembly.GetManifestResourceStream(SchemasFile)
            ?? throw new InvalidOperationException($"The resource {SchemasFile} is missing.");
        return JsonNode.Parse(file)!;
    }

    private static JsonObject SecuritySchemes() => new()
    {
        ["bearer"] = new JsonObject { ["type"] = "http", ["scheme"] = "bearer" },
        ["apiKey"] = new JsonObject { ["type"] = "apiKey", ["in"] = "header", ["name"] = RequestKey.Header },
        ["basic"] = new JsonObject { ["type"] = "http", ["scheme"] = "basic", ["description"] = "The key is the password." },
    };
}
