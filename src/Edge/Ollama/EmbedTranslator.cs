using System.Text.Json;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Requests;

namespace OllamaMax.Edge.Ollama;

/// <summary>
/// <c>POST /api/embed</c> (https://docs.ollama.com/api/embed) and the older <c>POST /api/embeddings</c> to the internal request. Without any text they
/// only load the model.
/// </summary>
internal static class EmbedTranslator
{
    public static Result<EmbedRequest> Translate(JsonFields request)
    {
        IReadOnlyList<string> inputs = ReadInputs(request);
        bool isCut = request.Flag("truncate") ?? true;
        int dimensions = (int?)request.Integer("dimensions", 0) ?? 0;
        return Finish(request, inputs, isCut, new EmbedFormat(request.Text("model") ?? "", dimensions));
    }

    /// <summary>It knows no truncate: Ollama cuts there.</summary>
    public static Result<EmbedRequest> TranslateOld(JsonFields request)
    {
        IReadOnlyList<string> inputs = request.Text("prompt") is { Length: > 0 } prompt ? [prompt] : [];
        return Finish(request, inputs, isCut: true, new EmbeddingsFormat());
    }

    private static Result<EmbedRequest> Finish(JsonFields request, IReadOnlyList<string> inputs, bool isCut, IWholeFormat format)
    {
        // Elsewhere 0 leaves it to the model; here Ollama takes it by its word.
        if (request.Object("options")?.Integer("num_ctx") == 0)
            request.Errors.Add("options.num_ctx", "is 0: input after truncation exceeds maximum context length");
        InferenceRequest inference = new()
        {
            Model = CommonFields.ReadModel(request),
            IsLoad = inputs.Count == 0,
            KeepAlive = CommonFields.ReadKeepAlive(request),
            EmbedInputs = inputs,
            Truncate = isCut,
            Options = OllamaOptions.Read(request),
        };
        return request.Errors.First is { } error ? error : new EmbedRequest(inference, format);
    }

    private static IReadOnlyList<string> ReadInputs(JsonFields request)
    {
        switch (request.Find("input"))
        {
            case null:
                return [];
            case { ValueKind: JsonValueKind.String }:
                return request.Text("input") is { Length: > 0 } text ? [text] : [];
            case { ValueKind: JsonValueKind.Array }:
                return request.Texts("input");
            default:
                request.Errors.Add("input", "must be a string or an array of strings");
                return [];
        }
    }
}
