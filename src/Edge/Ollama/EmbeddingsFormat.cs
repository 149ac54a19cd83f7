using System.Buffers;
using System.Text.Json;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Requests;

namespace OllamaMax.Edge.Ollama;

/// <summary>Answers of <c>/api/embeddings</c>: <c>{"embedding":[…]}</c>, the vector at the length that the model gave it, as Ollama's.</summary>
internal sealed class EmbeddingsFormat : IWholeFormat
{
    public void WriteWhole(IBufferWriter<byte> output, IReadOnlyList<WholeOutput> choices)
    {
        WholeOutput whole = choices[0];
        using Utf8JsonWriter json = new(output, Json.Writer);
        json.WriteStartObject();
        json.WritePropertyName("embedding"u8);
        VectorJson.Write(json, whole.Embeddings.Count > 0 ? whole.Embeddings[0].Vector : []);
        json.WriteEndObject();
    }

    public void WriteError(IBufferWriter<byte> output, ApiError error) => OllamaErrors.Write(output, error.Message);
}
