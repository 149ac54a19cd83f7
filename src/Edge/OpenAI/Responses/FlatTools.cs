using System.Text.Json;
using OllamaMax.Edge.Http;

namespace OllamaMax.Edge.OpenAI.Responses;

/// <summary>
/// The tools of <c>/v1/responses</c>: what tells of one stands beside its type, and there are more types than one. They stand in the field <c>tools</c>, and in items
/// <c>additional_tools</c> of the input, which is where Codex has all of its own under the names of OpenAI's newest models.
/// </summary>
internal sealed class FlatTools
{
    /// <summary>Type of the items that hold some.</summary>
    public const string Item = "additional_tools";

    private readonly List<GivenTool> _tools = [];
    private readonly Dictionary<string, int> _places = new(StringComparer.Ordinal);
    private readonly bool _mustCall;

    private FlatTools(bool mustCall) => _mustCall = mustCall;

    /// <summary>As functions, in the form of chat completions. Errors are noted with their paths.</summary>
    public static IReadOnlyList<GivenTool> Read(JsonFields request)
    {
        FlatTools read = new(request.Find("tool_choice") is { ValueKind: JsonValueKind.String } choice && choice.ValueEquals("required"));
        foreach (JsonFields tool in All(request))
        {
            tool.Copy(); // The response repeats it, with all that is not looked at here.
            read.Add(tool, space: null);
        }
        return read._tools;
    }

    /// <summary>All of a request, as they came.</summary>
    public static IEnumerable<JsonFields> All(JsonFields request) => [.. request.Objects("tools"), .. InItems(request)];

    // A text has none, and is not copied to find that out.
    private static IEnumerable<JsonFields> InItems(JsonFields request) =>
        request.Find("input") is { ValueKind: JsonValueKind.Array } ? request.Objects("input").SelectMany(HeldBy) : [];

    /// <summary>Those of an item of the input.</summary>
    public static IReadOnlyList<JsonFields> HeldBy(JsonFields item)
    {
        if (item.Text("type") is not Item)
            return [];
        if (!item.IsSet("tools"))
            item.Errors.Add(item.PathOf("tools"), "is required");
        return item.Objects("tools");
    }

    private void Add(JsonFields tool, string? space)
    {
        switch (tool.Text("type"))
        {
            case "function":
                AddFunction(tool, space);
                break;
            case "custom":
                AddCustom(tool, space);
                break;
            case "namespace" when space is null:
                string name = GivenTool.ReadName(tool);
                if (!tool.IsSet("tools"))
                    tool.Errors.Add(tool.PathOf("tools"), "is required");
                foreach (JsonFields inner in tool.Objects("tools"))
                    Add(inner, name);
                break;
            case { } type when IsOfServers(type) && !_mustCall:
                break;
            default:
                tool.Errors.Add(tool.PathOf("type"), "must be \"function\", \"custom\" or \"namespace\": other tools are not supported by this server");
                break;
        }
    }

    /// <summary>Tools of OpenAI's servers that agents add to their own, in case they are there: an answer without is what they expect of other servers.</summary>
    public static bool IsOfServers(string type) => type is "tool_search" or "image_generation" || type.StartsWith("web_search", StringComparison.Ordinal);

    private void AddFunction(JsonFields tool, string? space)
    {
        string function = FlatTool.FunctionOf(space, GivenTool.ReadFunction(tool));
        JsonElement flat = tool.Copy();
        // With an error noted the request goes no further; the names of what cannot be copied cannot be read either.
        if (tool.Errors.First is not null)
            return;
        Add(function, json =>
        {
            foreach (JsonProperty property in flat.EnumerateObject())
            {
                if (property is { Name: "description" or "parameters" or "strict", Value.ValueKind: not JsonValueKind.Null })
                {
                    json.WritePropertyName(property.Name);
                    json.WriteRawValue(property.Value.GetRawText(), skipInputValidation: true);
                }
            }
        });
    }

    private void AddCustom(JsonFields tool, string? space)
    {
        string function = FlatTool.FunctionOf(space, GivenTool.ReadName(tool));
        string? description = tool.Text("description");
        // It is not enforced where the model need not call: there the model is told.
        string? grammar = tool.Object("format") is { } format && format.Text("type") is "grammar" && format.Text("definition") is { } definition
            ? $"{FlatTool.Input} follows this grammar ({format.Text("syntax")}):\n{definition}"
            : null;
        Add(function, json =>
        {
            json.WriteString("description"u8, string.Join("\n\n", new[] { description, grammar }.OfType<string>()));
            json.WritePropertyName("parameters"u8);
            json.WriteRawValue($$$"""{"type":"object","properties":{"{{{FlatTool.Input}}}":{"type":"string"}},"required":["{{{FlatTool.Input}}}"],"additionalProperties":false}""");
        });
    }

    /// <summary>One that is told of again, by a later item, is as it says there.</summary>
    private void Add(string function, Action<Utf8JsonWriter> fields)
    {
        GivenTool tool = new(function, Json.Element(json =>
        {
            json.WriteStartObject();
            json.WriteString("type"u8, "function"u8);
            json.WriteStartObject("function"u8);
            json.WriteString("name"u8, function);
            fields(json);
            json.WriteEndObject();
            json.WriteEndObject();
        }));
        if (_places.TryAdd(function, _tools.Count))
            _tools.Add(tool);
        else
            _tools[_places[function]] = tool;
    }
}
