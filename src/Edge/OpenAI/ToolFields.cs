using System.Text.Json;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.OpenAI.Responses;
using OllamaMax.Edge.Requests;

namespace OllamaMax.Edge.OpenAI;

/// <summary>
/// The fields <c>tools</c>, <c>tool_choice</c> and <c>parallel_tool_calls</c>. Chat completions have what tells of a function in an object
/// <c>function</c>, responses beside the type (flat).
/// </summary>
/// <param name="Tools">In the form of chat completions; none where the model must not call any.</param>
internal readonly record struct ToolFields(IReadOnlyList<JsonElement> Tools, ToolChoice Choice)
{
    public static ToolFields Read(JsonFields request, bool isFlat = false)
    {
        IReadOnlyList<GivenTool> tools = isFlat ? FlatTools.Read(request) : [.. request.Objects("tools").Select(GivenTool.Read)];
        HashSet<string> names = [.. tools.Select(tool => tool.Name)];
        bool isSingle = !(request.Flag("parallel_tool_calls") ?? true);
        JsonElement[] elements = [.. tools.Select(tool => tool.Function)];
        ToolChoice free = new() { IsSingle = isSingle };
        switch (request.Find("tool_choice"))
        {
            case null:
                return new(elements, free);
            case { ValueKind: JsonValueKind.Object } when request.Object("tool_choice") is { } choice && choice.Text("type") is "allowed_tools":
                return ReadAllowed(isFlat ? choice : choice.Object("allowed_tools") ?? choice, tools, names, isFlat, free);
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

    /// <summary>Some of the tools. The model does not see the others, which is how it is kept from calling them.</summary>
    private static ToolFields ReadAllowed(JsonFields allowed, IReadOnlyList<GivenTool> tools, HashSet<string> names, bool isFlat, ToolChoice free)
    {
        if (!allowed.IsSet("tools"))
            allowed.Errors.Add(allowed.PathOf("tools"), "is required");
        HashSet<string> chosen = [];
        foreach (JsonFields one in allowed.Objects("tools"))
        {
            // What is left out of the tools cannot be called either.
            if (isFlat && one.Text("type") is { } type && FlatTools.IsOfServers(type))
                continue;
            string name = (isFlat ? one : one.Object("function") ?? one).Text("name") ?? "";
            if (isFlat)
                name = FlatTool.FunctionOf(one.Text("namespace"), name);
            if (!names.Contains(name))
                one.Errors.Add(one.PathOf("name"), "must be that of one of the tools");
            chosen.Add(name);
        }
        JsonElement[] elements = [.. tools.Where(tool => chosen.Contains(tool.Name)).Select(tool => tool.Function)];
        bool isRequired = allowed.Text("mode") is "required";
        if (allowed.Text("mode") is not ("auto" or "required"))
            allowed.Errors.Add(allowed.PathOf("mode"), "must be \"auto\" or \"required\"");
        if (isRequired && elements.Length == 0)
            allowed.Errors.Add(allowed.PathOf("mode"), "must not be \"required\" without tools");
        return new(elements, free with { IsRequired = isRequired });
    }

    private static ToolChoice ReadNamed(JsonFields request, HashSet<string> names, bool isFlat)
    {
        JsonFields? choice = request.Object("tool_choice");
        string? name = (isFlat ? choice : choice?.Object("function"))?.Text("name");
        bool isTool = choice?.Text("type") is "function" || (isFlat && choice?.Text("type") is "custom");
        if (!isTool || name is null)
            request.Errors.Add("tool_choice", isFlat ? "must be {\"type\":\"function\",\"name\":…}" : "must be {\"type\":\"function\",\"function\":{\"name\":…}}");
        else if (isFlat)
            name = FlatTool.FunctionOf(choice?.Text("namespace"), name);
        if (isTool && name is not null && !names.Contains(name))
            request.Errors.Add("tool_choice", "names a function that is not among tools");
        return new() { IsRequired = true, Name = name };
    }
}
