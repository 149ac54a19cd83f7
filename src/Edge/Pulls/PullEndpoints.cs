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
    RequestBodyReader bodies, ActivePulls pulls, PullFollower follower, DurablePulls durable, IOptions<PullOptions> options) : IEndpointGroup
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
        try
        {
            using PullHandle pull = pulls.Join(request);
            await using ProgressLines progress = new(context, isStream);
            // As Ollama: whatever it was.
            if (await follower.FollowAsync(context, pull, progress) is { } reason)
                await progress.FailAsync(new ApiError(StatusCodes.Status500InternalServerError, reason));
            else
                progress.Say(PullLine.Success);
        }
        catch (OperationCanceledException) when (RequestLimit.ReachedBy(context) is not null && context.Response.HasStarted)
        {
            await LeaveAsync(context, request, isStream);
        }
    }

    /// <summary>The answer has to end, and its client is there: the pull goes on by itself.</summary>
    private async Task LeaveAsync(HttpContext context, PullRequest request, bool isStream)
    {
        RequestLimit.Lift(context);
        string then = (await durable.StartAsync(context, request)).Failed(out _, out _) ? ", and the pull with it: pull again to go on" : "; the pull goes on: pull again to follow it";
        await ProgressLines.EndAtLimitAsync(context, isStream, then);
    }
}
