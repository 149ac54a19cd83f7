using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using OllamaMax.Jobs;

namespace OllamaMax.GpuWorker.Forwarding;

/// <summary>
/// A conversation in OpenAI's form. There each call has an id and its answer names it; where the client's do not, ids are given in order, and an answer
/// belongs to the first call of its function that has none yet. Answers of tools have no images there: these follow, as the user's.
/// </summary>
internal sealed class OpenAIMessages
{
    private const string Follows = "[An image, which follows.]";

    private readonly JsonArray _written = [];
    private readonly List<(string Id, string Function)> _open = [];
    private readonly List<ChatImage> _following = [];
    private readonly bool _withReasoning;
    private int _ids;

    private OpenAIMessages(bool withReasoning) => _withReasoning = withReasoning;

    /// <param name="messages">The turns.</param>
    /// <param name="withReasoning">Whether the server takes earlier reasoning back.</param>
    public static JsonArray Write(IReadOnlyList<ChatMessage> messages, bool withReasoning)
    {
        OpenAIMessages writer = new(withReasoning);
        foreach (ChatMessage message in messages)
            writer.Write(message);
        writer.WriteFollowing();
        return writer._written;
    }

    private void Write(ChatMessage message)
    {
        bool isResult = message.Role == "tool";
        if (!isResult)
            WriteFollowing();
        JsonObject written = new() { ["role"] = message.Role, ["content"] = isResult ? ResultOf(message) : ContentOf(message) };
        if (_withReasoning && message.Thinking is not null)
            written["reasoning_content"] = message.Thinking;
        if (message.ToolCalls.Count > 0)
            written["tool_calls"] = new JsonArray([.. message.ToolCalls.Select(Call)]);
        if (isResult && Answered(message) is { } id)
            written["tool_call_id"] = id;
        _written.Add(written);
    }

    /// <summary>Behind the last of the answers that belong together: nothing may stand between these.</summary>
    private void WriteFollowing()
    {
        if (_following.Count > 0)
            _written.Add(new JsonObject { ["role"] = "user", ["content"] = new JsonArray([.. _following.Select(image => Part(new("", image)))]) });
        _following.Clear();
    }

    private string ResultOf(ChatMessage message)
    {
        if (message.Images.Count == 0)
            return message.Content;
        _following.AddRange(message.Images);
        return string.Join('\n', ChatPart.Of(message).Select(part => part.Image is null ? part.Text : Follows));
    }

    private static JsonNode ContentOf(ChatMessage message) =>
        message.Images.Count == 0 ? JsonValue.Create(message.Content) : new JsonArray([.. ChatPart.Of(message).Select(Part)]);

    private static JsonObject Part(ChatPart part)
    {
        if (part.Image is not { } image)
            return new() { ["type"] = "text", ["text"] = part.Text };
        JsonObject url = new() { ["url"] = $"data:{image.MediaType};base64,{Convert.ToBase64String(image.Data.Span)}" };
        if (image.Detail is { } detail)
            url["detail"] = detail;
        return new() { ["type"] = "image_url", ["image_url"] = url };
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
