using System.Text.Json;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Jobs;
using OllamaMax.Edge.OpenAI;
using OllamaMax.Jobs.Records;

namespace OllamaMax.Edge.Batches;

/// <summary>A line of a batch's input: <c>{"custom_id","method":"POST","url","body":{…}}</c> (https://platform.openai.com/docs/api-reference/batch/request-input).</summary>
/// <param name="CustomId">Null where it has none that can be read.</param>
internal sealed record BatchLine(string? CustomId, Result<JobSubmission> Submission)
{
    public const string Chat = "/v1/chat/completions";
    public const string Completions = "/v1/completions";
    public const string Embeddings = "/v1/embeddings";

    /// <summary>What a batch can be of.</summary>
    public static IReadOnlyList<string> Endpoints { get; } = [Chat, Completions, Embeddings];

    /// <param name="endpoint">The batch's.</param>
    public static BatchLine Read(string line, string endpoint)
    {
        try
        {
            JsonElement json = JsonElement.Parse(line, new() { MaxDepth = Json.MaxDepth });
            if (json.ValueKind != JsonValueKind.Object)
                return new(null, ApiError.BadRequest("the line must be a JSON object"));
            JsonFields fields = new(json, "", new FieldErrors());
            string customId = fields.Text("custom_id") ?? "";
            if (customId.Length == 0)
                fields.Errors.Add("custom_id", "is required");
            if (fields.Text("method") is not "POST")
                fields.Errors.Add("method", "must be POST");
            if (fields.Text("url") != endpoint)
                fields.Errors.Add("url", $"must be the batch's endpoint, {endpoint}");
            JsonFields? body = fields.Object("body");
            if (body is null)
                fields.Errors.Add("body", "is required");
            if (fields.Errors.First is { } error)
                return new(customId.Length > 0 ? customId : null, error);
            return new(customId, Translate(new JsonFields(body!.Value.Element, "", new FieldErrors()), endpoint));
        }
        catch (JsonException e)
        {
            return new(null, ApiError.BadRequest($"the line is no JSON: {e.Message}"));
        }
    }

    private static Result<JobSubmission> Translate(JsonFields body, string endpoint)
    {
        if (endpoint == Embeddings)
            return TranslateEmbedding(body);
        if ((endpoint == Chat ? ChatTranslator.Translate(body) : CompletionTranslator.Translate(body)).Failed(out ApiError? error, out OpenAIRequest? request))
            return error;
        if (request.IsStream)
            return ApiError.BadRequest("stream must be false in a batch");
        if (request.Inferences.Count * request.ChoicesPerPrompt != 1 || request.Echoes)
            return ApiError.BadRequest("a line of a batch has one prompt, n 1 and no echo");
        return new JobSubmission(request.Inferences[0], endpoint == Chat ? RequestShape.OpenAIChat : RequestShape.OpenAICompletion);
    }

    private static Result<JobSubmission> TranslateEmbedding(JsonFields body) =>
        EmbeddingsTranslator.Translate(body).Failed(out ApiError? error, out EmbeddingsRequest? request)
            ? error
            : new JobSubmission(request.Inference, RequestShape.OpenAIEmbedding) { Embedding = new(request.Dimensions, request.IsBase64) };
}
