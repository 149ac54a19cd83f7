using OllamaMax.Edge.Http;
using OllamaMax.Edge.Ollama;
using OllamaMax.Edge.Requests;
using OllamaMax.Jobs.Records;

namespace OllamaMax.Edge.Jobs;

/// <summary>What is to be run in the background, and in which API's shape it is answered.</summary>
internal sealed record JobSubmission(InferenceRequest Request, RequestShape Shape)
{
    /// <summary>With <see cref="RequestShape.OpenAIEmbedding"/>.</summary>
    public EmbeddingForm? Embedding { get; init; }

    /// <summary>The body is that of the API's call, told apart by what only one of them has.</summary>
    public static Result<JobSubmission> Read(JsonFields fields)
    {
        bool isChat = fields.IsSet("messages");
        if (!isChat && !fields.IsSet("prompt"))
            return ApiError.BadRequest("the body must be that of /api/chat (with messages) or of /api/generate (with prompt)");
        if ((isChat ? ChatTranslator.Translate(fields) : GenerateTranslator.Translate(fields)).Failed(out ApiError? error, out OllamaRequest? request))
            return error;
        if (request.Inference.IsLoad)
            return ApiError.BadRequest($"{(isChat ? "messages" : "prompt")} must not be empty");
        if (request.IsRenderOnly)
            return ApiError.NotSupported("_debug_render_only");
        return new JobSubmission(request.Inference, isChat ? RequestShape.Chat : RequestShape.Generate);
    }
}
