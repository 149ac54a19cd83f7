using System.Text.Json;

namespace OllamaMax.Jobs;

/// <summary>One turn of a conversation, in the form that all three APIs are translated into and that templates read.</summary>
public sealed record ChatMessage(string Role, string Content)
{
    /// <summary>What the model thought before it answered, where the client sends it back.</summary>
    public string? Thinking { get; init; }

    /// <summary>With the role tool: which call is answered, where the client says so.</summary>
    public string? ToolCallId { get; init; }

    /// <summary>Calls that the assistant made, in OpenAI's form: <c>{"function":{"name":…,"arguments":{…}}}</c>.</summary>
    public IReadOnlyList<JsonElement> ToolCalls { get; init; } = [];

    /// <summary>In a message of role <c>tool</c>: whose result it is.</summary>
    public string? ToolName { get; init; }

    /// <summary>In the order in which they stand in the content (<see cref="ChatPart"/>). Only servers that are forwarded to see any.</summary>
    /// <remarks>An edge of an older version writes no such field, and the serializer then sets null.</remarks>
    public IReadOnlyList<ChatImage> Images { get; init => field = value ?? []; } = [];
}
