using System.Buffers;
using System.Text.Json;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Requests;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Ollama;

/// <summary>Answers of <c>/api/embed</c>: <c>{"model","embeddings":[[…]],"total_duration","load_duration","prompt_eval_count"}</c>.</summary>
/// <param name="model">As the request named it.</param>
/// <param name="dimensions">Numbers to keep of each vector, which then gets length 1 again; 0: all.</param>
internal sealed class EmbedFormat(string model, int dimensions) : IWholeFormat
{
    public void WriteWhole(IBufferWriter<byte> output, IReadOnlyList<WholeOutput> choices)
    {
        WholeOutput whole = choices[0];
        using Utf8JsonWriter json = new(output, Json.Writer);
        json.WriteStartObject();
        json.WriteString("model"u8, model);
        json.WriteStartArray("embeddings"u8);
        foreach (JobOutput.Embedding embedding in whole.Embeddings)
            VectorJson.Write(json, UnitVector.Of(embedding.Vector, dimensions));
        json.WriteEndArray();
        if (whole.Embeddings.Count > 0)
            WriteFigures(json, whole);
        json.WriteEndObject();
    }

    public void WriteError(IBufferWriter<byte> output, ApiError error) => OllamaErrors.Write(output, error.Message);

    private static void WriteFigures(Utf8JsonWriter json, WholeOutput whole)
    {
        json.WriteNumber("total_duration"u8, OllamaDuration.Of(whole.Finished.Statistics.TotalDuration));
        json.WriteNumber("load_duration"u8, OllamaDuration.Of(whole.Finished.Statistics.LoadDuration));
        json.WriteNumber("prompt_eval_count"u8, whole.Embeddings.Sum(embedding => embedding.Tokens));
    }
}
