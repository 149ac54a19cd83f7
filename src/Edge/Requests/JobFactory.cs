using Microsoft.Extensions.Options;
using OllamaMax.Edge.Http;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Records;
using OllamaMax.Models;

namespace OllamaMax.Edge.Requests;

/// <summary>
/// Makes the job of a request: looks the model up, renders the prompt once, fixes seed, digest and deadline. After this
/// nothing about the answer is left to decide, on whatever worker it runs.
/// </summary>
internal sealed class JobFactory(
    IModelSource models, PromptMaker prompts, SeedSource seeds, TimeProvider time, IOptions<EdgeOptions> options)
{
    private static readonly RenderedPrompt NoPrompt = new("", OutputParsing.None, Grammar: null);

    public async ValueTask<Result<Job>> CreateAsync(InferenceRequest request, RequestInfo info, CancellationToken cancellationToken)
    {
        if (await models.FindAsync(request.Model, cancellationToken) is not { } model)
            return ApiError.ModelNotFound(request.Model);
        if (Unsupported(request, model) is { } unsupported)
            return unsupported;
        RenderedPrompt? prompt = NoPrompt;
        if (!request.IsLoad && request.EmbedInputs is null && prompts.Make(request, model).Failed(out ApiError? error, out prompt))
            return error;
        return new Job
        {
            Id = JobId.New(time),
            RequestId = info.Id,
            TraceParent = info.TraceParent,
            Tenant = (info.Principal ?? throw new InvalidOperationException("Jobs are made for authenticated requests.")).Tenant,
            Band = Band.Interactive,
            Model = model.Weights,
            ModelName = request.Model,
            Shape = request.IsLoad || request.EmbedInputs is not null ? null : request.IsCompletion ? RequestShape.Generate : RequestShape.Chat,
            LoadOnly = request.IsLoad,
            KeepAlive = request.KeepAlive,
            Prompt = prompt.Text,
            Parsing = prompt.Parsing,
            EmbedInputs = request.IsLoad ? null : request.EmbedInputs,
            Truncate = request.Truncate,
            Options = Clamp(request.Options, model) with { Grammar = prompt.Grammar },
            Seed = request.Seed is { } seed and >= 0 ? (ulong)seed : seeds.Draw(),
            Stop = request.Stop,
            Deadline = options.Value.JobDeadline,
        };
    }

    private static ApiError? Unsupported(InferenceRequest request, ModelView model)
    {
        // Any model gives vectors, if not good ones; whether this one does its engine says.
        if (request.EmbedInputs is not null)
            return null;
        if (!model.Capabilities.Contains("completion"))
            return ApiError.BadRequest($"\"{request.Model}\" does not support {(request.IsCompletion ? "generate" : "chat")}");
        if (request.Tools.Count > 0 && !model.Capabilities.Contains("tools"))
            return ApiError.BadRequest($"\"{request.Model}\" does not support tools");
        if (request.Think == true && !model.Capabilities.Contains("thinking"))
            return ApiError.BadRequest($"\"{request.Model}\" does not support thinking");
        return null;
    }

    /// <summary>More context than the model was trained for helps nobody.</summary>
    private static InferenceOptions Clamp(InferenceOptions options, ModelView model) =>
        options.NumCtx > model.ContextLength ? options with { NumCtx = model.ContextLength } : options;
}
