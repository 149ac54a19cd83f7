using System.Text.Json;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Ollama;

/// <summary>Answers of <c>/api/generate</c>: <c>"response":"…","thinking":"…"</c>. There are no tools, so no calls.</summary>
internal sealed class GenerateFormat(string model, TimeProvider time) : OllamaFormat(model, time)
{
    protected override void WriteParts(Utf8JsonWriter json, JobOutput.Delta delta)
    {
        json.WriteString("response"u8, delta.Text);
        if (delta.Thinking.Length > 0)
            json.WriteString("thinking"u8, delta.Thinking);
    }
}
