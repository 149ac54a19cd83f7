using System.Text;
using System.Text.Json;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Ollama;

/// <summary>Answers of <c>/api/generate</c>: <c>"response":"…","thinking":"…"</c>, and at the end <c>"context":[…]</c>. There are no tools, so no calls.</summary>
/// <param name="turns">As <see cref="OllamaRequest.Turns"/>.</param>
internal sealed class GenerateFormat(string model, TimeProvider time, IReadOnlyList<ChatMessage>? turns = null) : OllamaFormat(model, time)
{
    private readonly StringBuilder _answer = new();

    protected override void WriteParts(Utf8JsonWriter json, JobOutput.Delta delta)
    {
        if (turns is not null)
            _answer.Append(delta.Text);
        json.WriteString("response"u8, delta.Text);
        if (delta.Thinking.Length > 0)
            json.WriteString("thinking"u8, delta.Thinking);
    }

    /// <summary>Without the reasoning: templates leave that out of earlier turns, too.</summary>
    protected override void WriteContext(Utf8JsonWriter json)
    {
        if (turns is null)
            return;
        json.WriteStartArray("context"u8);
        foreach (int number in ConversationContext.Encode([.. turns, new("assistant", _answer.ToString())]))
            json.WriteNumberValue(number);
        json.WriteEndArray();
    }
}
