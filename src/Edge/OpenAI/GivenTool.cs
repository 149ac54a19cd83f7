using System.Text.Json;
using OllamaMax.Edge.Http;

namespace OllamaMax.Edge.OpenAI;

/// <summary>A tool of a request.</summary>
/// <param name="Name">By which the model calls it.</param>
/// <param name="Function">In the form of chat completions.</param>
internal readonly record struct GivenTool(string Name, JsonElement Function)
{
    private const int LongestName = 64;

    /// <summary>One of chat completions.</summary>
    public static GivenTool Read(JsonFields tool)
    {
        if (tool.Text("type") is not "function")
            tool.Errors.Add(tool.PathOf("type"), "must be \"function\": other tools are not supported by this server");
        if (tool.Object("function") is { } function)
            return new(ReadFunction(function), tool.Copy());
        tool.Errors.Add(tool.PathOf("function"), "is required");
        return new("", tool.Copy());
    }

    /// <summary>Checks what tells of a function.</summary>
    /// <returns>Its name.</returns>
    public static string ReadFunction(JsonFields function)
    {
        function.Object("parameters");
        function.Flag("strict");
        return ReadName(function);
    }

    public static string ReadName(JsonFields tool)
    {
        string name = tool.Text("name") ?? "";
        if (name.Length is 0 or > LongestName || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.'))
            tool.Errors.Add(tool.PathOf("name"), $"must be 1 to {LongestName} letters, digits, underscores and dashes");
        return name;
    }
}
