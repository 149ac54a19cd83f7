using System.Text.Json;

namespace OllamaMax.Edge.Ollama;

/// <summary>Answers of <c>/api/chat</c>: <c>"message":{"role":"assistant","content":"…"}</c>.</summary>
internal sealed class ChatFormat(string model, TimeProvider time) : OllamaFormat(model, time)
{
    protected override void WriteText(Utf8JsonWriter json, string text)
    {
        json.WriteStartObject("message"u8);
        json.WriteString("role"u8, "assistant"u8);
        json.WriteString("content"u8, text);
        json.WriteEndObject();
    }
}
