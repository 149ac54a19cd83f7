using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using OllamaMax.Jobs;

namespace OllamaMax.GpuWorker.Forwarding;

/// <summary>
/// A conversation in OpenAI's form. There each call has an id and its answer names it; where the client's do not, ids are given in order, and an answer
/// belongs to the first call of its function that has none yet.
/// </summary>
internal sealed class OpenAIMessages
{
    private readonly List<(string Id, string Function)> _open = [];
    private int _ids;

    private OpenAIMessages()
    {
    }

    /// <param name="messages">The turns.</param>
    /// <param name="withReasoning">Whether the server takes earlier reasoning back.</param>
    public static JsonArray Write(IReadOnlyList<ChatMessage> messages, bool withReasoning)
    {
        OpenAIMessages writer = new();
        return new JsonArray([.. messages.Select(message => writer.Write(message, withReasoning))]);
    }

    private JsonObject Write(ChatMessage message, bool withReasoning)
    {
        JsonObject written = new() { ["role"] = message.Role, ["content"] = message.Content };
        if (withReasoning && message.Thinking is not null)
            written["reasoning_content"] = message.Thinking;
        if (message.ToolCalls.Count > 0)
            written["tool_calls"] = new JsonArray([.. message.ToolCalls.Select(Call)]);
        if (message.Role == "tool" && Answered(message) is { } id)
            written["tool_call_id"] = id;
        return written;
    }

    private JsonObject Call(JsonElement call)
    {
        JsonElement function = call.Find("function") ?? default;
        string name = function.Text("name") ?? "";
        string id = call.Text("id") ?? $"call_{(++_ids).ToString(CultureInfo.InvariantCulture)}";
        _open.Add((id, name));
        JsonElement? arguments = function.Find("arguments");
        return new JsonObject
        {
            ["id"] = id,
            ["type"] = "function",
            ["function"] = new JsonObject
            {
                ["name"] = name,
                ["arguments"] = arguments is { ValueKind: JsonValueKind.String } text ? text.GetString() : arguments?.GetRawText() ?? "{}",
            },
        };
    }

    private string? Answered(ChatMessage message)
    {
        int at = message.ToolCallId is { } given
            ? _open.FindIndex(call => call.Id == given)
            : Math.Max(_open.FindIndex(call => call.Function == message.ToolName), _open.Count > 0 ? 0 : -1);
        string? id = message.ToolCallId ?? (at < 0 ? null : _open[at].Id);
        if (at >= 0)
            _open.RemoveAt(at);
        return id;
    }
}
