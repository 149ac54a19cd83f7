using System.Buffers;
using System.Text.Json;
using OllamaMax.Edge.Http;

namespace OllamaMax.Edge.Ollama;

/// <summary><c>{"error":"…"}</c>; also what this server's own endpoints answer.</summary>
internal sealed class OllamaErrors : ErrorShape
{
    public override void Write(IBufferWriter<byte> output, ApiError error, string requestId) => Write(output, error.Message);

    public static void Write(IBufferWriter<byte> output, string message)
    {
        using Utf8JsonWriter json = new(output, Json.Writer);
        json.WriteStartObject();
        json.WriteString("error"u8, message);
        json.WriteEndObject();
    }
}
