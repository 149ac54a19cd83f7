using System.Text.Json;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Requests;

namespace OllamaMax.Edge.Anthropic;

/// <summary>The fields <c>tools</c> and <c>tool_choice</c>.</summary>
/// <param name="Tools">In OpenAI's form; none where the model must not call any.</param>
internal readonly record struct ToolFields(IReadOnlyList<JsonElement> Tools, ToolChoice Choice)
{
    private const int LongestName = 128;

    public static ToolFields Read(JsonFields request)
    {
        List<string> names = [];
        List<JsonElement> tools = [];
        foreach (JsonFields tool in request.Objects("tools"))
        {
            names.Add(ReadName(tool));
            tools.Add(ReadTool(tool, names[^1]));
        }
        if (request.Object("tool_choice") is not { } choice)
            return new(tools, ToolChoice.Free);
        bool isSingle = choice.Flag("disable_parallel_tool_use") ?? false;
        switch (choice.Text("type"))
        {
            case "auto":
                return new(tools, new() { IsSingle = isSingle });
            case "none":
                return new([], ToolChoice.Free);
            case "any":
                if (tools.Count == 0)
                    request.Errors.Add("tool_choice", "must not be \"any\" without tools");
                return new(tools, new() { IsRequired = true, IsSingle = isSingle });
            case "tool":
                string name = choice.Text("name") ?? "";
                if (!names.Contains(name))
                    request.Errors.Add(choice.PathOf("name"), "must be that of one of the tools");
                return new(tools, new() { IsRequired = true, Name = name, IsSingle = isSingle });
            default:
                request.Errors.Add(choice.PathOf("type"), "must be \"auto\", \"any\", \"tool\" or \"none\"");
                return new(tools, ToolChoice.Free);
        }
    }

    private static string ReadName(JsonFields tool)
    {
        string name = tool.Text("name") ?? "";
        if (name.Length is 0 or > LongestName || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-'))
            tool.Errors.Add(tool.PathOf("name"), $"must be 1 to {LongestName} letters, digits, underscores and dashes");
        return name;
    }

    private static JsonElement ReadTool(JsonFields tool, string name)
    {
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
}
