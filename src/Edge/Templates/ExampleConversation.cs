using System.Text.Json;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Templates;

/// <summary>What a template is tried with.</summary>
internal static class ExampleConversation
{
    public static IReadOnlyList<ChatMessage> Hello { get; } = [new("user", "Hello"), new("assistant", "Hi"), new("user", "Who are you?")];

    /// <summary>A call of <see cref="Tool"/>, and its result.</summary>
    public static IReadOnlyList<ChatMessage> Call { get; } =
    [
        new("user", "Hello"),
        new("assistant", "") { ToolCalls = [JsonElement.Parse("""{"function":{"name":"f","arguments":{"a":"b"}}}""")] },
        new("tool", "c") { ToolName = "f" },
    ];

    public static JsonElement Tool { get; } = JsonElement.Parse("""
        {"type":"function","function":{"name":"f","description":"d",
        "parameters":{"type":"object","properties":{"a":{"type":"string","description":"d"}},"required":["a"]}}}
        """);
}
