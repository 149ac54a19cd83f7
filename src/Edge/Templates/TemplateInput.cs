using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Assembling;
using OllamaMax.Models;

namespace OllamaMax.Edge.Templates;

/// <summary>
/// The variables of a chat template as one JSON object, in the form of Hugging Face's <c>apply_chat_template</c>
/// (https://huggingface.co/docs/transformers/chat_templating). A field that a message lacks is left out: templates ask whether it
/// is there.
/// </summary>
/// <param name="writer">Where to write them.</param>
/// <param name="template">What is done for templates that differ from most.</param>
internal sealed partial class TemplateInput(Utf8JsonWriter writer, string template)
{
    private const int ShortId = 9;

    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The template refuses ids of calls that have not nine characters, as Mistral's do.</summary>
    private readonly bool _wantsShortIds = template.Contains("|length != 9", StringComparison.Ordinal);

    /// <summary>The template has reasoning as a part of the content, and nowhere else.</summary>
    private readonly bool _wantsThinkingParts = ThinkingParts.IsMatch(template) && !template.Contains("reasoning_content", StringComparison.Ordinal);

    private readonly Queue<string> _unanswered = new();
    private readonly Dictionary<string, string> _shortened = [];
    private int _calls;

    public static string Write(
        ModelView model,
        IReadOnlyList<ChatMessage> messages,
        IReadOnlyList<JsonElement> tools,
        bool addGenerationPrompt,
        TemplateOptions? options)
    {
        ArrayBufferWriter<byte> json = new();
        using (Utf8JsonWriter writer = new(json, Plain))
            new TemplateInput(writer, model.Template ?? "").WriteAll(model, messages, tools, addGenerationPrompt, options);
        return Encoding.UTF8.GetString(json.WrittenSpan);
    }

    /// <summary>A turn of the assistant's is calls where it has no content, and else a text: DeepSeek's.</summary>
    [GeneratedRegex("""['"]assistant['"]\s+and\s+message(\.content|\[['"]content['"]\])\s+is\s+(not\s+)?none""")]
    private static partial Regex CallsWithoutContent { get; }

    /// <summary>Of the parts of a content one is reasoning (Ministral).</summary>
    [GeneratedRegex("""\btype(['"]\])?\s*==\s*['"]thinking['"]""")]
    private static partial Regex ThinkingParts { get; }

    [GeneratedRegex(@"\btools\s+is\s+(not\s+)?none\b")]
    private static partial Regex ToolsOrNone { get; }

    [GeneratedRegex(@"\btools\s+is\s+(not\s+)?defined\b")]
    private static partial Regex ToolsIfDefined { get; }

    private void WriteAll(
        ModelView model,
        IReadOnlyList<ChatMessage> messages,
        IReadOnlyList<JsonElement> tools,
        bool addGenerationPrompt,
        TemplateOptions? options)
    {
        writer.WriteStartObject();
        writer.WriteString("bos_token", model.BosToken);
        writer.WriteString("eos_token", model.EosToken);
        writer.WriteBoolean("add_generation_prompt", addGenerationPrompt);
        WriteOptions(options);
        WriteTools(tools);
        writer.WriteStartArray("messages");
        foreach (ChatMessage message in messages)
            WriteMessage(message);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private void WriteOptions(TemplateOptions? options)
    {
        if (options?.Think is { } think)
        {
            writer.WriteBoolean("enable_thinking", think);
            writer.WriteBoolean("thinking", think);
        }
        if (options is not null && ReasoningEffort.Of(template, options) is { } effort)
            writer.WriteString(ReasoningEffort.Variable(template), effort);
    }

    /// <summary>None are not defined, but for a template that asks for none alone.</summary>
    private void WriteTools(IReadOnlyList<JsonElement> tools)
    {
        if (tools.Count == 0)
        {
            if (ToolsOrNone.IsMatch(template) && !ToolsIfDefined.IsMatch(template))
                writer.WriteNull("tools");
            return;
        }
        writer.WriteStartArray("tools");
        foreach (JsonElement tool in tools)
            tool.WriteTo(writer);
        writer.WriteEndArray();
    }

    private void WriteMessage(ChatMessage message)
    {
        writer.WriteStartObject();
        writer.WriteString("role", message.Role);
        if (message.ToolCalls.Count > 0 && message.Content.Length == 0 && CallsWithoutContent.IsMatch(template))
            writer.WriteNull("content");
        else if (_wantsThinkingParts && message is { Role: "assistant", Thinking.Length: > 0 })
            WriteParts(message);
        else
            writer.WriteString("content", message.Content);
        if (message.Thinking is { } thinking)
        {
            writer.WriteString("reasoning_content", thinking);
            writer.WriteString("thinking", thinking);
        }
        if (message.ToolCalls.Count > 0)
            WriteToolCalls(message.ToolCalls);
        if (message.ToolName is { } name)
            writer.WriteString("name", name);
        if (message.Role == "tool" && (_unanswered.TryDequeue(out string? id) || message.ToolCallId is not null))
            writer.WriteString("tool_call_id", message.ToolCallId is { } given ? _shortened.GetValueOrDefault(given, given) : id);
        writer.WriteEndObject();
    }

    private void WriteParts(ChatMessage message)
    {
        writer.WriteStartArray("content");
        WritePart("thinking", message.Thinking!);
        if (message.Content.Length > 0)
            WritePart("text", message.Content);
        writer.WriteEndArray();
    }

    private void WritePart(string type, string text)
    {
        writer.WriteStartObject();
        writer.WriteString("type", type);
        writer.WriteString(type, text);
        writer.WriteEndObject();
    }

    private void WriteToolCalls(IReadOnlyList<JsonElement> calls)
    {
        writer.WriteStartArray("tool_calls");
        foreach (JsonElement call in calls)
        {
            if (call.ValueKind == JsonValueKind.Object)
                WriteToolCall(call);
            else
                call.WriteTo(writer);
        }
        writer.WriteEndArray();
    }

    /// <summary>
    /// Calls of Ollama's API have no type, and need no id; some templates (Mistral's) insist on ids of nine characters. Those that lack are made up
    /// in order, as the answers come in order; longer ones are replaced for these.
    /// </summary>
    private void WriteToolCall(JsonElement call)
    {
        string? sent = call.TryGetProperty("id", out JsonElement given) && given.ValueKind == JsonValueKind.String ? given.GetString() : null;
        string id = sent is null || (_wantsShortIds && sent.Length != ShortId)
            ? "call" + (++_calls).ToString("D5", CultureInfo.InvariantCulture)
            : sent;
        if (sent is not null && sent != id)
            _shortened[sent] = id;
        _unanswered.Enqueue(id);
        writer.WriteStartObject();
        writer.WriteString("id", id);
        writer.WriteString("type", "function");
        foreach (JsonProperty property in call.EnumerateObject())
        {
            if (property.NameEquals("function") && property.Value.ValueKind == JsonValueKind.Object)
                WriteFunction(property.Value);
            else if (!property.NameEquals("id") && !property.NameEquals("type"))
                property.WriteTo(writer);
        }
        writer.WriteEndObject();
    }

    /// <summary>Templates want arguments as an object; OpenAI's clients send its JSON in a string.</summary>
    private void WriteFunction(JsonElement function)
    {
        writer.WriteStartObject("function");
        foreach (JsonProperty property in function.EnumerateObject())
        {
            writer.WritePropertyName(property.Name);
            if (property.NameEquals("arguments") && property.Value.ValueKind == JsonValueKind.String)
                WriteArguments(property.Value.GetString()!);
            else
                property.Value.WriteTo(writer);
        }
        writer.WriteEndObject();
    }

    private void WriteArguments(string text)
    {
        // What the model once wrote need not be JSON: it stays the text that it was.
        if (ToolCallJson.ArgumentsIn(string.IsNullOrWhiteSpace(text) ? "{}" : text) is { } arguments)
            arguments.WriteTo(writer);
        else
            writer.WriteStringValue(text);
    }
}
