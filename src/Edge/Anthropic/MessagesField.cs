using System.Text.Json;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Requests;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Anthropic;

/// <summary>
/// The fields <c>system</c> and <c>messages</c>. Results of tools, blocks of a user's message there, are messages of their own to templates; they
/// stand before the message's text.
/// </summary>
internal static class MessagesField
{
    /// <summary>
    /// So begins Claude Code's first block of the system prompt, which is for Anthropic's servers: it differs from conversation to conversation, or from request to request, and
    /// no prompt would begin like another.
    /// </summary>
    private const string BillingHeader = "x-anthropic-billing-header:";

    public static IReadOnlyList<ChatMessage> Read(JsonFields request, LateTools lateTools)
    {
        List<ChatMessage> messages = [];
        string system = ContentBlocks.TextOf(request, "system", ReadSystem);
        if (system.Length > 0)
            messages.Add(new("system", system));
        IReadOnlyList<JsonFields> given = request.Objects("messages");
        if (given.Count == 0)
            request.Errors.Add("messages", "must be an array of at least one message");
        // Answers of tools say which call they answer; templates want to know which tool.
        Dictionary<string, string> toolOfCall = new(StringComparer.Ordinal);
        foreach (JsonFields message in given)
        {
            switch (message.Text("role"))
            {
                case "user":
                    AddUser(message, messages, toolOfCall, lateTools);
                    break;
                case "assistant":
                    messages.Add(ReadAssistant(message, toolOfCall));
                    break;
                case "system":
                    messages.Add(new("system", ContentBlocks.TextOf(message, "content", block => ReadLateSystem(block, lateTools))));
                    break;
                default:
                    message.Errors.Add(message.PathOf("role"), "must be \"user\" or \"assistant\"");
                    break;
            }
            if (!message.IsSet("content"))
                message.Errors.Add(message.PathOf("content"), "is required");
        }
        return messages;
    }

    private static string? ReadSystem(JsonFields block)
    {
        if (block.Text("type") is not "text")
            return ContentBlocks.Refuse(block);
        string text = ContentBlocks.Text(block);
        return text.StartsWith(BillingHeader, StringComparison.Ordinal) ? null : text;
    }

    private static string? ReadLateSystem(JsonFields block, LateTools lateTools) => block.Text("type") switch
    {
        "text" => ContentBlocks.Text(block),
        "tool_addition" or "tool_removal" => lateTools.ReadChange(block),
        _ => ContentBlocks.Refuse(block),
    };

    private static void AddUser(JsonFields message, List<ChatMessage> messages, Dictionary<string, string> toolOfCall, LateTools lateTools)
    {
        if (message.Find("content") is { ValueKind: JsonValueKind.String })
        {
            messages.Add(new("user", message.Text("content") ?? ""));
            return;
        }
        ContentParts parts = new();
        foreach (JsonFields block in ContentBlocks.Read(message, "content"))
        {
            switch (block.Text("type"))
            {
                case "text":
                    parts.Add(ContentBlocks.Text(block));
                    break;
                case "search_result":
                    parts.Add(ContentBlocks.SearchResult(block));
                    break;
                case "document" when ContentBlocks.Document(block, ReadDocumentPart) is { } document:
                    parts.Add(document);
                    break;
                case "image" when ContentBlocks.Image(block, block.Errors) is { } image:
                    parts.Add(image);
                    break;
                case "image":
                    break; // What is wrong with it is noted.
                case "tool_result":
                    messages.Add(ReadResult(block, toolOfCall, lateTools));
                    break;
                default:
                    ContentBlocks.Refuse(block);
                    break;
            }
        }
        if (!parts.IsEmpty)
            messages.Add(parts.ToMessage("user"));
    }

    private static string? ReadDocumentPart(JsonFields block)
    {
        if (block.Text("type") is "text")
            return ContentBlocks.Text(block);
        block.Errors.Add(block.PathOf("type"), "must be \"text\" in a document: an image stands beside it");
        return null;
    }

    private static ChatMessage ReadResult(JsonFields block, Dictionary<string, string> toolOfCall, LateTools lateTools)
    {
        string call = block.Text("tool_use_id") ?? "";
        if (call.Length == 0)
            block.Errors.Add(block.PathOf("tool_use_id"), "is required");
        // Templates know no other way to say it.
        ContentParts parts = new(block.Flag("is_error") == true ? "Error: " : "");
        if (block.Find("content") is { ValueKind: JsonValueKind.String })
            parts.Add(block.Text("content") ?? "");
        foreach (JsonFields part in ContentBlocks.Read(block, "content"))
        {
            if (part.Text("type") == "image" && ContentBlocks.Image(part, new FieldErrors()) is { } image)
                parts.Add(image);
            else if (ReadPart(part, lateTools) is { } text)
                parts.Add(text);
        }
        return parts.ToMessage("tool") with { ToolCallId = call, ToolName = toolOfCall.GetValueOrDefault(call) };
    }

    /// <summary>Of a tool's result, all but images.</summary>
    private static string? ReadPart(JsonFields block, LateTools lateTools) => block.Text("type") switch
    {
        "text" => ContentBlocks.Text(block),
        "search_result" => ContentBlocks.SearchResult(block),
        "image" => LeftOut.UnreadableImage,
        "document" => ContentBlocks.Document(block, part => ReadPart(part, lateTools)) ?? LeftOut.File,
        "tool_reference" => lateTools.ReadReference(block),
        _ => ContentBlocks.Refuse(block),
    };

    private static ChatMessage ReadAssistant(JsonFields message, Dictionary<string, string> toolOfCall)
    {
        if (message.Find("content") is { ValueKind: JsonValueKind.String })
            return new("assistant", message.Text("content") ?? "");
        List<string> texts = [];
        List<string> thoughts = [];
        List<JsonElement> calls = [];
        foreach (JsonFields block in ContentBlocks.Read(message, "content"))
        {
            switch (block.Text("type"))
            {
                case "text":
                    texts.Add(ContentBlocks.Text(block));
                    break;
                case "thinking":
                    thoughts.Add(block.Text("thinking") ?? "");
                    break;
                case "redacted_thinking":
                    break; // Another server's secret: nobody here can read it.
                case "server_tool_use" or "mcp_tool_use":
                case { } type when type.EndsWith("_tool_result", StringComparison.Ordinal):
                    break; // Another server's tools have run: its text, which follows, has what came of it.
                case "tool_use":
                    calls.Add(ReadCall(block, toolOfCall));
                    break;
                default:
                    ContentBlocks.Refuse(block);
                    break;
            }
        }
        return new("assistant", string.Join('\n', texts))
        {
            Thinking = thoughts.Count > 0 ? string.Join('\n', thoughts) : null,
            ToolCalls = calls,
        };
    }

    /// <summary>In OpenAI's form, as templates want it.</summary>
    private static JsonElement ReadCall(JsonFields block, Dictionary<string, string> toolOfCall)
    {
        string id = block.Text("id") ?? "";
        string name = block.Text("name") ?? "";
        if (name.Length == 0)
            block.Errors.Add(block.PathOf("name"), "is required");
        JsonFields? input = block.Object("input");
        toolOfCall[id] = name;
        return Json.Element(writer =>
        {
            writer.WriteStartObject();
            if (id.Length > 0)
                writer.WriteString("id"u8, id);
            writer.WriteString("type"u8, "function"u8);
            writer.WriteStartObject("function"u8);
            writer.WriteString("name"u8, name);
            writer.WritePropertyName("arguments"u8);
            JsonCopy.Write(writer, input);
            writer.WriteEndObject();
            writer.WriteEndObject();
        });
    }
}
