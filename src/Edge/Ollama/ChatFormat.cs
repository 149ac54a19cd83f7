using System.Text.Json;
using OllamaMax.Edge.Requests;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Ollama;

/// <summary>Answers of <c>/api/chat</c>: <c>"message":{"role":"assistant","content":"…","thinking":"…","tool_calls":[…]}</c>.</summary>
/// <param name="id">The answer's, without prefix; null: it is asked for once, and gets a new one.</param>
internal sealed class ChatFormat(string model, TimeProvider time, string? id = null) : OllamaFormat(model, time)
{
    private readonly string _id = id ?? JobId.New(time);
    private int _calls;

    protected override void WriteParts(Utf8JsonWriter json, JobOutput.Delta delta)
    {
        json.WriteStartObject("message"u8);
        json.WriteString("role"u8, "assistant"u8);
        json.WriteString("content"u8, delta.Text);
        if (delta.Thinking.Length > 0)
            json.WriteString("thinking"u8, delta.Thinking);
        if (delta.ToolCalls.Count > 0)
            WriteCalls(json, delta.ToolCalls);
        json.WriteEndObject();
    }

    /// <summary>The index counts through the whole answer.</summary>
    private void WriteCalls(Utf8JsonWriter json, IReadOnlyList<ToolCall> calls)
    {
        json.WriteStartArray("tool_calls"u8);
        foreach (ToolCall call in calls)
        {
            json.WriteStartObject();
            json.WriteString("id"u8, CallIds.Of(_id, _calls));
            json.WriteStartObject("function"u8);
            json.WriteNumber("index"u8, _calls++);
            json.WriteString("name"u8, call.Name);
            json.WritePropertyName("arguments"u8);
            call.Arguments.WriteTo(json);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }
}
