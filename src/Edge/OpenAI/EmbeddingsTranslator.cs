using System.Text.Json;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Requests;

namespace OllamaMax.Edge.OpenAI;

/// <summary>A request of <c>/v1/embeddings</c>, translated.</summary>
/// <param name="Inference">What to run.</param>
/// <param name="Dimensions">Numbers to keep of each vector; 0: all.</param>
/// <param name="IsBase64">Vectors as little-endian 32-bit floats in base64, rather than as numbers.</param>
internal sealed record EmbeddingsRequest(InferenceRequest Inference, int Dimensions, bool IsBase64);

/// <summary>
/// <c>POST /v1/embeddings</c> (https://platform.openai.com/docs/api-reference/embeddings/create) to the internal request. An input longer than the
/// context is an error, as there.
/// </summary>
internal static class EmbeddingsTranslator
{
    private const int MostInputs = 2048;

    private static readonly FieldPolicy Policy = new(["model", "input", "encoding_format", "dimensions", "keep_alive"], ["user"]);

    public static Result<EmbeddingsRequest> Translate(JsonFields request)
    {
        InferenceRequest inference = new()
        {
            Model = CommonFields.ReadModel(request),
            KeepAlive = Ollama.CommonFields.ReadKeepAlive(request),
            EmbedInputs = ReadInputs(request),
        };
        int dimensions = (int?)request.Integer("dimensions", 1) ?? 0;
        string format = request.Text("encoding_format") ?? "float";
        if (format is not ("float" or "base64"))
            request.Errors.Add("encoding_format", "must be \"float\" or \"base64\"");
        Policy.Check(request);
        return request.Errors.First is { } error ? error : new EmbeddingsRequest(inference, dimensions, format == "base64");
    }

    private static IReadOnlyList<string> ReadInputs(JsonFields request)
    {
        IReadOnlyList<string> inputs = request.Find("input") switch
        {
            { ValueKind: JsonValueKind.String } => [request.Text("input") ?? ""],
            { ValueKind: JsonValueKind.Array } array when array.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String) => request.Texts("input"),
            _ => [],
        };
        if (inputs.Count is 0 or > MostInputs || inputs.Any(input => input.Length == 0))
        {
            request.Errors.Add(
                "input", $"must be a string or an array of 1 to {MostInputs} strings, none empty (arrays of tokens are not supported by this server: send their text)");
        }
        return inputs;
    }
}
