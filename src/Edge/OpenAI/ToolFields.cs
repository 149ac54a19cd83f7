using System.Text.Json;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Requests;

namespace OllamaMax.Edge.OpenAI;

/// <summary>
/// The fields <c>tools</c>, <c>tool_choice</c> and <c>parallel_tool_calls</c>. Chat completions have what tells of a function in an object
/// <c>function</c>, responses beside the type (flat).
/// </summary>
/// <param name="Tools">In the form of chat completions; none where the model must not call any.</param>
internal readonly record struct ToolFields(IReadOnlyList<JsonElement> Tools, ToolChoice Choice)
{
    private const int LongestName = 64;

    public static ToolFields Read(JsonFields request, bool isFlat = false)
    {
        IReadOnlyList<JsonFields> tools = request.Objects("tools");
        HashSet<string> names = [.. tools.Select(tool => ReadName(tool, isFlat))];
        bool isSingle = !(request.Flag("parallel_tool_calls") ?? true);
        JsonElement[] elements = [.. tools.Select(tool => isFlat ? Nest(tool) : tool.Copy())];
        ToolChoice free = new() { IsSingle = isSingle };
        switch (request.Find("tool_choice"))
        {
            case null:
                return new(elements, free);
            case { ValueKind: JsonValueKind.Object }:
                return new(elements, ReadNamed(request, names, isFlat) with { IsSingle = isSingle });
            default:
                break;
        }
        switch (request.Find("tool_choice") is { ValueKind: JsonValueKind.String } ? request.Text("tool_choice") : null)
        {
            case "auto":
                return new(elements, free);
            case "none":
                return new([], free);
            case "required":
                if (elements.Length == 0)
                    request.Errors.Add("tool_choice", "must not be \"required\" without tools");
                return new(elements, new() { IsRequired = true, IsSingle = isSingle });
            default:
                request.Errors.Add("tool_choice", "must be \"none\", \"auto\", \"required\" or an object that names a function");
                return new(elements, free);
        }
    }

    private static string ReadName(JsonFields tool, bool isFlat)
    {
        if (tool.Text("type") is not "function")
            tool.Errors.Add(tool.PathOf("type"), "must be \"function\": other tools are not supported by this server");
        if ((isFlat ? tool : tool.Object("function")) is not { } function)
        {
            tool.Errors.Add(tool.PathOf("function"), "is required");
            return "";
        }
        string name = function.Text("name") ?? "";
        if (name.Length is 0 or > LongestName || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.'))
            tool.Errors.Add(function.PathOf("name"), $"must be 1 to {LongestName} letters, digits, underscores and dashes");
        function.Object("parameters");
        function.Flag("strict");
        return name;
    }

    private static ToolChoice ReadNamed(JsonFields request, HashSet<string> names, bool isFlat)
    {
        JsonFields? choice = request.Object("tool_choice");
        string? name = (isFlat ? choice : choice?.Object("function"))?.Text("name");
        if (choice?.Text("type") is not "function" || name is null)
            request.Errors.Add("tool_choice", isFlat ? "must be {\"type\":\"function\",\"name\":…}" : "must be {\"type\":\"function\",\"function\":{\"name\":…}}");
        else if (!names.Contains(name))
            request.Errors.Add("tool_choice", "names a function that is not among tools");
        return new() { IsRequired = true, Name = name };
    }

    private static JsonElement Nest(JsonFields tool)
    {
        JsonElement flat = tool.Copy();
        // With an error noted the request goes no further; the names of what cannot be copied cannot be read either.
        if (tool.Errors.First is not null)
            return flat;
        return Json.Element(writer =>
        {
            writer.WriteStartObject();
            writer.WriteString("type"u8, "function"u8);
            writer.WriteStartObject("function"u8);
            foreach (JsonProperty property in flat.EnumerateObject())
            {
                if (property is { Name: "name" or "description" or "parameters" or "strict", Value.ValueKind: not JsonValueKind.Null })
                {
                    writer.WritePropertyName(property.Name);
                    writer.WriteRawValue(property.Value.GetRawText(), skipInputValidation: true);
                }
            }
            writer.WriteEndObject();
            writer.WriteEndObject();
        });
    }
}
