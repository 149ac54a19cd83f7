using System.Text.Json;
using OllamaMax.Edge.Http;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.OpenAI;

/// <summary>The field <c>messages</c> of <c>/v1/chat/completions</c>, in the roles that templates know.</summary>
internal static class MessagesField
{
    public static ChatMessage[] Read(JsonFields request)
    {
        IReadOnlyList<JsonFields> messages = request.Objects("messages");
        if (messages.Count == 0)
            request.Errors.Add("messages", "must be an array of at least one message");
        // Answers of tools say which call they answer; templates want to know which tool.
        Dictionary<string, string> toolOfCall = new(StringComparer.Ordinal);
        return [.. messages.Select(message => ReadMessage(message, toolOfCall))];
    }

    private static ChatMessage ReadMessage(JsonFields message, Dictionary<string, string> toolOfCall)
    {
        string role = message.Text("role") switch
        {
            "developer" => "system",
            "function" => "tool",
            { } known and ("system" or "user" or "assistant" or "tool") => known,
            _ => "",
        };
        if (role.Length == 0)
            message.Errors.Add(message.PathOf("role"), "must be \"system\", \"developer\", \"user\", \"assistant\" or \"tool\"");
        if (role == "assistant")
        {
            string said = ContentField.ReadText(message);
            return new(role, said.Length > 0 ? said : message.Text("refusal") ?? "")
            {
                Thinking = message.Text("reasoning_content") ?? message.Text("reasoning"),
                ToolCalls = ReadCalls(message, toolOfCall),
            };
        }
        if (role != "tool")
        {
            if (!message.IsSet("content"))
                message.Errors.Add(message.PathOf("content"), "is required");
            return role == "user" ? ContentField.ReadUser(message).ToMessage(role) : new(role, ContentField.ReadText(message));
        }
        string? call = message.Text("tool_call_id");
        string? name = message.Text("name");
        if (call is null && name is null)
            message.Errors.Add(message.PathOf("tool_call_id"), "is required");
        return ContentField.ReadResult(message).ToMessage(role) with
        {
            ToolCallId = call,
            ToolName = name ?? toolOfCall.GetValueOrDefault(call ?? ""),
        };
    }

    private static JsonElement[] ReadCalls(JsonFields message, Dictionary<string, string> toolOfCall)
    {
        if (message.IsSet("function_call"))
            message.Errors.Add(ApiError.NotSupported(message.PathOf("function_call")));
        IReadOnlyList<JsonFields> calls = message.Objects("tool_calls");
        foreach (JsonFields call in calls)
        {
            string? id = call.Text("id");
            JsonFields? function = call.Object("function");
            string? name = function?.Text("name");
            function?.Text("arguments");
            if (string.IsNullOrEmpty(name))
                call.Errors.Add($"{call.PathOf("function")}.name", "is required");
            else if (id is not null)
                toolOfCall[id] = name;
        }
        return [.. calls.Select(call => call.Copy())];
    }
}
