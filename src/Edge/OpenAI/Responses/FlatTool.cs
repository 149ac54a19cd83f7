using System.Text.Json;

namespace OllamaMax.Edge.OpenAI.Responses;

/// <summary>A tool of <c>/v1/responses</c> that clients run: a function, or one that takes a text (<c>custom</c>).</summary>
/// <param name="Namespace">Under which its name stands; null: under none.</param>
/// <param name="Name">As the client knows it.</param>
/// <param name="IsCustom">To the model it is a function with one argument, <see cref="Input"/>.</param>
internal readonly record struct FlatTool(string? Namespace, string Name, bool IsCustom)
{
    public const string Input = "input";

    /// <summary>The name by which the model knows it.</summary>
    public static string FunctionOf(string? space, string name) => string.IsNullOrEmpty(space) ? name : $"{space}__{name}";

    /// <summary>Whose function the model has called; one that was not given is taken for what it looks like.</summary>
    /// <param name="tools">As they came, read without an error; of one that is told of again the last counts.</param>
    public static FlatTool Called(JsonElement tools, string function)
    {
        foreach (JsonElement tool in tools.EnumerateArray().Reverse())
        {
            if (tool.GetProperty("type").ValueEquals("namespace"))
            {
                string space = tool.GetProperty("name").GetString()!;
                if (tool.GetProperty("tools").EnumerateArray().Cast<JsonElement?>().FirstOrDefault(one => Is(one!.Value, space, function)) is { } inner)
                    return Of(inner, space);
            }
            else if (Is(tool, null, function))
            {
                return Of(tool, null);
            }
        }
        return new(null, function, IsCustom: false);
    }

    /// <summary>What was to be given to it: of a function its arguments, else the text.</summary>
    public string InputOf(JsonElement arguments) =>
        IsCustom && arguments.ValueKind == JsonValueKind.Object && arguments.TryGetProperty(Input, out JsonElement input) && input.ValueKind == JsonValueKind.String
            ? input.GetString()!
            : arguments.GetRawText();

    private static bool Is(JsonElement tool, string? space, string function) =>
        tool.GetProperty("type").GetString() is "function" or "custom" && FunctionOf(space, tool.GetProperty("name").GetString()!) == function;

    private static FlatTool Of(JsonElement tool, string? space) => new(space, tool.GetProperty("name").GetString()!, tool.GetProperty("type").ValueEquals("custom"));
}
