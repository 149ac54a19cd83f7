using System.Text.Json.Nodes;

namespace OllamaMax.Infra.Tests;

/// <summary>A compiled template, with those of its modules in it.</summary>
internal sealed class Template(JsonObject json)
{
    public JsonObject Json { get; } = json;

    public IEnumerable<string> Outputs => Json["outputs"]!.AsObject().Select(output => output.Key);

    /// <summary>The template of a module, by the symbol that it has in the file.</summary>
    public Template Module(string symbol) => new(Json["resources"]![symbol]!["properties"]!["template"]!.AsObject());

    public JsonNode Variable(string name) => Json["variables"]![name]!;

    public JsonObject Resource(string symbol) => Json["resources"]![symbol]!.AsObject();

    /// <summary>Every resource, those of modules included.</summary>
    public IEnumerable<JsonObject> All()
    {
        // A file that needs nothing newer has a list of them, any other one an object by symbol.
        IEnumerable<JsonNode?> resources = Json["resources"] is JsonArray list ? list : Json["resources"]!.AsObject().Select(resource => resource.Value);
        foreach (JsonNode? node in resources)
        {
            JsonObject resource = node!.AsObject();
            yield return resource;
            if (resource["properties"] is JsonObject properties && properties["template"] is JsonObject inner)
            {
                foreach (JsonObject deeper in new Template(inner).All())
                    yield return deeper;
            }
        }
    }
}
