using System.Text.Json;
using OllamaMax.Edge.Http;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.OpenAI.Responses;

/// <summary>
/// Items as messages, in the roles that templates know. What an assistant thought, said and called in one turn are items of their own here, and one
/// message to templates.
/// </summary>
internal sealed class Conversation
{
    private readonly List<ChatMessage> _messages = [];

    // Outputs of functions say which call they answer; templates want to know which function.
    private readonly Dictionary<string, string> _functionOfCall = new(StringComparer.Ordinal);

    /// <param name="items">Errors are noted with their paths.</param>
    public static IReadOnlyList<ChatMessage> Read(string? instructions, IEnumerable<JsonFields> items)
    {
        Conversation conversation = new();
        if (!string.IsNullOrEmpty(instructions))
            conversation._messages.Add(new("system", instructions));
        foreach (JsonFields item in items)
            conversation.Add(item);
        return conversation._messages;
    }

    private void Add(JsonFields item)
    {
        item.Text("id");
        switch (item.Text("type"))
        {
            case null or "message":
                AddMessage(item);
                break;
            case "reasoning":
                AddReasoning(item);
                break;
            case "function_call":
                AddCall(item, item.Text("arguments") ?? "{}");
                break;
            case "custom_tool_call":
                string input = item.Text(FlatTool.Input) ?? "";
                AddCall(item, Json.Element(json =>
                {
                    json.WriteStartObject();
                    json.WriteString(FlatTool.Input, input);
                    json.WriteEndObject();
                }).GetRawText());
                break;
            case "function_call_output" or "custom_tool_call_output":
                AddOutput(item);
                break;
            case "item_reference":
                Required(item, "id"); // What it stands for is looked up before the conversation is made of it.
                break;
            case FlatTools.Item:
                break; // They are read with the others.
            case "web_search_call" or "image_generation_call" or "tool_search_call" or "tool_search_output":
                break; // Another server's tools have run: its answer, which follows, has what came of it.
            case { } type:
                item.Errors.Add(item.PathOf("type"), $"\"{type}\" is not a type of item that is supported here");
                break;
        }
    }

    private void AddMessage(JsonFields item)
    {
        string role = item.Text("role") switch
        {
            "developer" => "system",
            { } known and ("system" or "user" or "assistant") => known,
            _ => "",
        };
        if (role.Length == 0)
            item.Errors.Add(item.PathOf("role"), "must be \"system\", \"developer\", \"user\" or \"assistant\"");
        if (!item.IsSet("content"))
            item.Errors.Add(item.PathOf("content"), "is required");
        if (role == "user")
        {
            _messages.Add(ContentField.ReadUser(item).ToMessage(role));
            return;
        }
        string content = ContentField.ReadText(item);
        if (role == "assistant")
            Turn(turn => turn is { Content: "", ToolCalls.Count: 0 }, turn => turn with { Content = content });
        else
            _messages.Add(new(role, content));
    }

    private void AddReasoning(JsonFields item)
    {
        string? carried = item.Text("encrypted_content") is { } encrypted ? CarriedReasoning.Read(encrypted) : null;
        string content = ContentField.ReadText(item);
        string thinking = content.Length > 0 ? content : carried ?? ContentField.ReadText(item, "summary");
        if (thinking.Length > 0)
            Turn(turn => turn is { Content: "", Thinking: null, ToolCalls.Count: 0 }, turn => turn with { Thinking = thinking });
    }

    private void AddCall(JsonFields item, string arguments)
    {
        string call = Required(item, "call_id");
        string name = FlatTool.FunctionOf(item.Text("namespace"), Required(item, "name"));
        _functionOfCall[call] = name;
        JsonElement element = Json.Element(json =>
        {
            json.WriteStartObject();
            json.WriteString("id"u8, call);
            json.WriteString("type"u8, "function"u8);
            json.WriteStartObject("function"u8);
            json.WriteString("name"u8, name);
            json.WriteString("arguments"u8, arguments);
            json.WriteEndObject();
            json.WriteEndObject();
        });
        Turn(_ => true, turn => turn with { ToolCalls = [.. turn.ToolCalls, element] });
    }

    private void AddOutput(JsonFields item)
    {
        string call = Required(item, "call_id");
        if (!item.IsSet("output"))
            item.Errors.Add(item.PathOf("output"), "is required");
        _messages.Add(ContentField.ReadResult(item, "output").ToMessage("tool") with { ToolCallId = call, ToolName = _functionOfCall.GetValueOrDefault(call) });
    }

    /// <summary>Adds to the assistant's turn that the conversation ends with, or begins one.</summary>
    private void Turn(Func<ChatMessage, bool> goesOn, Func<ChatMessage, ChatMessage> add)
    {
        if (_messages is [.., { Role: "assistant" } turn] && goesOn(turn))
            _messages[^1] = add(turn);
        else
            _messages.Add(add(new("assistant", "")));
    }

    private static string Required(JsonFields item, string name)
    {
        string value = item.Text(name) ?? "";
        if (value.Length == 0)
            item.Errors.Add(item.PathOf(name), "is required");
        return value;
    }
}
