using System.Text.Json;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Requests;

namespace OllamaMax.Edge.OpenAI;

/// <summary>The fields <c>tools</c>, <c>tool_choice</c> and <c>parallel_tool_calls</c>.</summary>
/// <param name="Tools">None where the model must not call any.</param>
internal readonly record struct ToolFields(IReadOnlyList<JsonElement> Tools, ToolChoice Choice)
{
    private const int LongestName = 64;

    public static ToolFields Read(JsonFields request)
    {
        IReadOnlyList<JsonFields> tools = request.Objects("tools");
        HashSet<string> names = [.. tools.Select(ReadName)];
        bool isSingle = !(request.Flag("parallel_tool_calls") ?? true);
        JsonElement[] elements = [.. tools.Select(tool => tool.Copy())];
        ToolChoice free = new() { IsSingle = isSingle };
        switch (request.Find("tool_choice"))
        {
            case null:
                return new(elements, free);
            case { ValueKind: JsonValueKind.Object }:
                return new(elements, ReadNamed(request, names) with { IsSingle = isSingle });
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

    private static string ReadName(JsonFields tool)
    {
        if (tool.Text("type") is not "function")
            tool.Errors.Add(tool.PathOf("type"), "must be \"function\": other tools are not supported by this server");
        if (tool.Object("function") is not { } function)
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

    private static ToolChoice ReadNamed(JsonFields request, HashSet<string> names)
    {
        JsonFields? choice = request.Object("tool_choice");
        string? name = choice?.Object("function")?.Text("name");
        if (choice?.Text("type") is not "function" || name is null)
            request.Errors.Add("tool_choice", "must be {\"type\":\"function\",\"function\":{\"name\":…}}");
        else if (!names.Contains(name))
            request.Errors.Add("tool_choice", "names a function that is not among tools");
        return new() { IsRequired = true, Name = name };
    }
}
