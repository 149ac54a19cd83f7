using System.Text.Json;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Templates;

/// <summary>
/// Turns for templates that show one call of each, with the result right behind it, and reasoning or a text beside it, as that of gpt-oss does: several calls at
/// once are so many turns, each with its result; what is said before a call joins what was thought.
/// </summary>
internal static class SingleCallTurns
{
    public static IReadOnlyList<ChatMessage> Of(IReadOnlyList<ChatMessage> messages)
    {
        List<ChatMessage> turns = [];
        int next = 0;
        while (next < messages.Count)
        {
            ChatMessage message = messages[next++];
            if (message.ToolCalls.Count == 0)
            {
                turns.Add(message);
                continue;
            }
            List<ChatMessage> results = [.. messages.Skip(next).TakeWhile(result => result.Role == "tool")];
            next += results.Count;
            AddCalls(turns, message, results);
        }
        return turns;
    }

    private static void AddCalls(List<ChatMessage> turns, ChatMessage message, List<ChatMessage> results)
    {
        string[] said = [.. new[] { message.Thinking, message.Content }.Where(text => !string.IsNullOrEmpty(text))!];
        ChatMessage turn = message with { Content = "", Thinking = said.Length == 0 ? null : string.Join("\n\n", said) };
        foreach (JsonElement call in message.ToolCalls)
        {
            turns.Add(turn with { ToolCalls = [call] });
            turn = turn with { Thinking = null };
            if (TakeResult(results, call) is { } result)
                turns.Add(result);
        }
        turns.AddRange(results);
    }

    /// <summary>The call's result by its id, else by the function's name, else the next that says of neither.</summary>
    private static ChatMessage? TakeResult(List<ChatMessage> results, JsonElement call)
    {
        string? id = TextOf(call, "id");
        string? name = call.ValueKind == JsonValueKind.Object && call.TryGetProperty("function", out JsonElement function) ? TextOf(function, "name") : null;
        int at = results.FindIndex(result => id is not null && result.ToolCallId == id);
        if (at < 0)
            at = results.FindIndex(result => result.ToolCallId is null && result.ToolName is not null && result.ToolName == name);
        if (at < 0)
            at = results.FindIndex(result => result.ToolCallId is null && result.ToolName is null);
        if (at < 0)
            return null;
        ChatMessage taken = results[at];
        results.RemoveAt(at);
        return taken;
    }

    private static string? TextOf(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
