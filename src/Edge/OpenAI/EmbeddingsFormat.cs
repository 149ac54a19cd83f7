using System.Buffers;
using System.Buffers.Binary;
using System.Text.Json;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Requests;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.OpenAI;

/// <summary>Answers of <c>/v1/embeddings</c>: <c>{"object":"list","data":[{"object":"embedding","index","embedding"}],"model","usage"}</c>.</summary>
internal sealed class EmbeddingsFormat(EmbeddingsRequest request) : IWholeFormat
{
    public void WriteWhole(IBufferWriter<byte> output, IReadOnlyList<WholeOutput> choices)
    {
        IReadOnlyList<JobOutput.Embedding> embeddings = choices[0].Embeddings;
        using Utf8JsonWriter json = new(output, Json.Writer);
        json.WriteStartObject();
        json.WriteString("object"u8, "list"u8);
        json.WriteStartArray("data"u8);
        foreach (JobOutput.Embedding embedding in embeddings)
        {
            json.WriteStartObject();
            json.WriteString("object"u8, "embedding"u8);
            json.WriteNumber("index"u8, embedding.Index);
            json.WritePropertyName("embedding"u8);
            WriteVector(json, UnitVector.Of(embedding.Vector, request.Dimensions));
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteString("model"u8, request.Inference.Model);
        int tokens = embeddings.Sum(embedding => embedding.Tokens);
        json.WriteStartObject("usage"u8);
        json.WriteNumber("prompt_tokens"u8, tokens);
        json.WriteNumber("total_tokens"u8, tokens);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    public void WriteError(IBufferWriter<byte> output, ApiError error) => OpenAIErrors.Write(output, error);

    private void WriteVector(Utf8JsonWriter json, ReadOnlySpan<float> vector)
    {
        if (!request.IsBase64)
        {
            VectorJson.Write(json, vector);
            return;
        }
        byte[] bytes = new byte[vector.Length * sizeof(float)];
        for (int i = 0; i < vector.Length; i++)
            BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(i * sizeof(float)), vector[i]);
        json.WriteBase64StringValue(bytes);
    }
}
