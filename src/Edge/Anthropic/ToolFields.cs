using System.Text.Json;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Requests;

namespace OllamaMax.Edge.Anthropic;

/// <summary>The fields <c>tools</c> and <c>tool_choice</c>.</summary>
/// <param name="Tools">In OpenAI's form; none where the model must not call any.</param>
/// <param name="Choice">Whether it must call one.</param>
/// <param name="Late">Those that the prompt does not begin with.</param>
internal readonly record struct ToolFields(IReadOnlyList<JsonElement> Tools, ToolChoice Choice, LateTools Late)
{
    private const int LongestName = 128;

    public static ToolFields Read(JsonFields request)
    {
        IReadOnlyList<JsonFields> given = request.Objects("tools");
        JsonFields? choice = request.Object("tool_choice");
        string? named = choice?.Text("type") is "tool" ? choice?.Text("name") : null;
        List<JsonElement> tools = [];
        Dictionary<string, JsonElement> deferred = [];
        foreach (JsonFields tool in given)
        {
            JsonElement read = ReadTool(tool);
            if ((tool.Flag("defer_loading") ?? false) && tool.Text("name") is { } name && name != named)
                deferred[name] = read;
            else
                tools.Add(read);
        }
        // With none at all no call would be looked for in the answer.
        if (tools.Count == 0)
            tools = [.. deferred.Values];
        LateTools late = new(deferred);
        if (choice is not { } chosen)
            return new(tools, ToolChoice.Free, late);
        bool isSingle = chosen.Flag("disable_parallel_tool_use") ?? false;
        switch (chosen.Text("type"))
        {
            case "auto":
                return new(tools, new() { IsSingle = isSingle }, late);
            case "none":
                return new([], ToolChoice.Free, late);
            case "any":
                if (tools.Count == 0)
                    request.Errors.Add("tool_choice", "must not be \"any\" without tools");
                return new(tools, new() { IsRequired = true, IsSingle = isSingle }, late);
            case "tool":
                if (!given.Any(tool => tool.Text("name") == (named ?? "")))
                    request.Errors.Add(chosen.PathOf("name"), "must be that of one of the tools");
                return new(tools, new() { IsRequired = true, Name = named ?? "", IsSingle = isSingle }, late);
            default:
                request.Errors.Add(chosen.PathOf("type"), "must be \"auto\", \"any\", \"tool\" or \"none\"");
                return new(tools, ToolChoice.Free, late);
        }
    }

    /// <summary>One in OpenAI's form.</summary>
    public static JsonElement ReadTool(JsonFields tool)
    {
        string name = ReadName(tool);
        if (tool.Text("type") is { } type and not "custom")
            tool.Errors.Add(tool.PathOf("type"), $"\"{type}\" is a tool of Anthropic's servers, which this server does not have");
        JsonFields? schema = tool.Object("input_schema");
        if (schema is null)
            tool.Errors.Add(tool.PathOf("input_schema"), "is required");
        string? description = tool.Text("description");
        bool isStrict = tool.Flag("strict") ?? false;
        return Json.Element(writer =>
        {
            writer.WriteStartObject();
            writer.WriteString("type"u8, "function"u8);
            writer.WriteStartObject("function"u8);
            writer.WriteString("name"u8, name);
            if (description is not null)
                writer.WriteString("description"u8, description);
            writer.WritePropertyName("parameters"u8);
            JsonCopy.Write(writer, schema);
            if (isStrict)
                writer.WriteBoolean("strict"u8, true);
            writer.WriteEndObject();
            writer.WriteEndObject();
        });
    }

    private static string ReadName(JsonFields tool)
    {
        string name = tool.Text("name") ?? "";
        if (name.Length is 0 or > LongestName || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-'))
            tool.Errors.Add(tool.PathOf("name"), $"must be 1 to {LongestName} letters, digits, underscores and dashes");
        return name;
    }
}
