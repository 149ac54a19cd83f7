using System.Text.Json;

namespace OllamaMax.Grammars;

/// <summary>A tool as grammars know it.</summary>
/// <param name="Name">What the model calls it by.</param>
/// <param name="Parameters">JSON Schema of its arguments; null: any object.</param>
/// <param name="IsStrict">A schema that no grammar can say is an error; otherwise the arguments are any object then.</param>
public sealed record CallableTool(string Name, JsonElement? Parameters, bool IsStrict)
{
    /// <param name="tool">In OpenAI's form: <c>{"type":"function","function":{"name":…}}</c>.</param>
    public static CallableTool Of(JsonElement tool)
    {
        JsonElement function = tool.GetProperty("function");
        return new(function.GetProperty("name").GetString()!, Find(function, "parameters"), Find(function, "strict") is { ValueKind: JsonValueKind.True });
    }

    private static JsonElement? Find(JsonElement function, string name) => function.TryGetProperty(name, out JsonElement value) ? value : null;
}
