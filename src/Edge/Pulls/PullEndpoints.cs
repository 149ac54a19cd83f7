using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Ollama;
using OllamaMax.Edge.OpenApi;
using OllamaMax.Security;

namespace OllamaMax.Edge.Pulls;

/// <summary><c>POST /api/pull</c> (https://docs.ollama.com/api/pull).</summary>
internal sealed class PullEndpoints(
    RequestBodyReader bodies, ActivePulls pulls, IOptions<PullOptions> options, IOptions<EdgeOptions> edge) : IEndpointGroup
{
    public void Map(IEndpointRouteBuilder endpoints) =>
        endpoints.MapPost("/api/pull", PullAsync).WithMetadata(new RequiredPermission(Permissions.ManageModels))
            .Describe(new(EndpointDescription.Ollama, "Brings a model from a registry, or from a URL.") { Body = "OllamaPullRequest", Answer = "OllamaProgress", Stream = "application/x-ndjson" });

    private async Task PullAsync(HttpContext context)
    {
        bool isStream = true;
        Result<PullRequest> read = await JsonRequest.ReadAsync(context, bodies, fields =>
        {
            isStream = fields.Flag("stream") ?? true;
            return PullRequest.Read(fields, options.Value);
        });
        if (read.Failed(out ApiError? error, out PullRequest? request))
        {
            await ErrorAnswer.WriteAsync(context, error);
            return;
        }
        RequestInfo.Of(context).Subject = $"{request.Name}";
        using PullHandle pull = pulls.Join(request);
        if (isStream)
            await StreamAsync(context, pull);
        else
            await AnswerAsync(context, pull);
    }

    private async Task StreamAsync(HttpContext context, PullHandle pull)
    {
        await using ProgressLines progress = new(context, isStream: true);
        await foreach (PullLine line in pull.FollowAsync(edge.Value.HeartbeatInterval, context.RequestAborted))
        {
            progress.Say(line);
            await progress.FlushAsync();
        }
        if (await pull.Ended is { } error)
            progress.Fail(error);
    }

    private static async Task AnswerAsync(HttpContext context, PullHandle pull)
    {
        if (await pull.Ended.WaitAsync(context.RequestAborted) is { } error)
        {
            // As Ollama: whatever it was.
            await ErrorAnswer.WriteAsync(context, new ApiError(StatusCodes.Status500InternalServerError, error));
            return;
        }
        await using ProgressLines progress = new(context, isStream: false);
        progress.Say("success");
    }
}
