using System.Text.Json;
using System.Text.Json.Nodes;

namespace OllamaMax.Edge.Templates;

/// <summary>Tools that all have a description, for templates that write it without asking whether there is one, as that of gpt-oss does, and fail over what is not there.</summary>
internal static class DescribedTools
{
    public static IReadOnlyList<JsonElement> Of(IReadOnlyList<JsonElement> tools) => [.. tools.Select(Described)];

    private static JsonElement Described(JsonElement tool)
    {
        if (JsonObject.Create(tool) is not { } copy || copy["function"] is not JsonObject function || function["description"] is not null)
            return tool;
        function["description"] = "";
        return JsonElement.Parse(copy.ToJsonString());
    }
}
