using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
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
/// <param name="wantsShortIds">The template refuses ids of calls that have not nine characters.</param>
internal sealed class TemplateInput(Utf8JsonWriter writer, bool wantsShortIds)
{
    private const int ShortId = 9;

    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

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
            new TemplateInput(writer, WantsShortIds(model.Template)).WriteAll(model, messages, tools, addGenerationPrompt, options);
        return Encoding.UTF8.GetString(json.WrittenSpan);
    }

    /// <summary>Mistral's: <c>tool_call.id|length != 9</c>.</summary>
    private static bool WantsShortIds(string? template) => template?.Contains("|length != 9", StringComparison.Ordinal) == true;

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
        if (options?.ReasoningEffort is { } effort)
            writer.WriteString("reasoning_effort", effort);
    }

    private void WriteTools(IReadOnlyList<JsonElement> tools)
    {
        if (tools.Count == 0)
        {
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
    /// Ollama's calls have neither id nor type, and some templates (Mistral's) insist on ids of nine characters: they are made up
    /// in order, as the answers come in order; OpenAI's and Anthropic's, which are longer, are replaced for these.
    /// </summary>
    private void WriteToolCall(JsonElement call)
    {
        string? sent = call.TryGetProperty("id", out JsonElement given) && given.ValueKind == JsonValueKind.String ? given.GetString() : null;
        string id = sent is null || (wantsShortIds && sent.Length != ShortId)
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
        if (ToolCallJson.ArgumentsIn(text) is { } arguments)
            arguments.WriteTo(writer);
        else
            writer.WriteStringValue(text);
    }
}
