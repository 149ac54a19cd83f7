using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Templates;
using OllamaMax.Jobs;
using OllamaMax.Models;

namespace OllamaMax.Edge.Requests;

/// <summary>
/// Makes the job of a request: looks the model up, renders the prompt once, fixes seed, digest and deadline. After this
/// nothing about the answer is left to decide, on whatever worker it runs.
/// </summary>
internal sealed class JobFactory(
    IModelSource models, IPromptRenderer prompts, SeedSource seeds, TimeProvider time, IOptions<EdgeOptions> options)
{
    public async ValueTask<Result<Job>> CreateAsync(InferenceRequest request, RequestInfo info, CancellationToken cancellationToken)
    {
        if (await models.FindAsync(request.Model, cancellationToken) is not { } model)
            return ApiError.ModelNotFound(request.Model);
        if (Unsupported(request, model) is { } unsupported)
            return unsupported;
        string? prompt = "";
        if (!request.IsLoad && Render(request, model).Failed(out ApiError? error, out prompt))
            return error;
        return new Job
        {
            Id = JobId.New(time),
            RequestId = info.Id,
            TraceParent = info.TraceParent,
            Tenant = (info.Principal ?? throw new InvalidOperationException("Jobs are made for authenticated requests.")).Tenant,
            Band = Band.Interactive,
            Model = model.Weights,
            LoadOnly = request.IsLoad,
            KeepAlive = request.KeepAlive,
            Prompt = prompt,
            Options = Clamp(request.Options, model),
            Seed = request.Seed is { } seed and >= 0 ? (ulong)seed : seeds.Draw(),
            Stop = request.Stop,
            Deadline = options.Value.JobDeadline,
        };
    }

    private static ApiError? Unsupported(InferenceRequest request, ModelView model)
    {
        if (!model.Capabilities.Contains("completion"))
            return ApiError.BadRequest($"\"{request.Model}\" does not support {(request.IsCompletion ? "generate" : "chat")}");
        if (request.Tools.Count > 0 && !model.Capabilities.Contains("tools"))
            return ApiError.BadRequest($"\"{request.Model}\" does not support tools");
        return null;
    }

    private Result<string> Render(InferenceRequest request, ModelView model)
    {
        if (request.RawPrompt is { } raw)
            return raw;
        if (model.Template is null)
        {
            return request is { IsCompletion: true, Messages: [{ Role: "user" } only] }
                ? only.Content
                : ApiError.BadRequest($"\"{request.Model}\" has no chat template: it completes a prompt of /api/generate, without system");
        }
        try
        {
            return prompts.Render(model, request.Messages, request.Tools, addGenerationPrompt: true);
        }
        catch (TemplateException e)
        {
            return e.IsRefusal
                ? ApiError.BadRequest($"the model's chat template refuses the messages: {e.Message}")
                : new ApiError(StatusCodes.Status500InternalServerError, $"the model's chat template is broken: {e.Message}");
        }
    }

    /// <summary>More context than the model was trained for helps nobody.</summary>
    private static InferenceOptions Clamp(InferenceOptions options, ModelView model) =>
        options.NumCtx > model.ContextLength ? options with { NumCtx = model.ContextLength } : options;
}
