using System.Text.Json;

namespace OllamaMax.Edge.Ollama;

/// <summary>Answers of <c>/api/generate</c>: <c>"response":"…"</c>.</summary>
internal sealed class GenerateFormat(string model, TimeProvider time) : OllamaFormat(model, time)
{
    protected override void WriteText(Utf8JsonWriter json, string text) => json.WriteString("response"u8, text);
}
