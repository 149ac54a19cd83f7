using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using OllamaMax.Edge.Cluster;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.OpenApi;
using OllamaMax.Streaming;

namespace OllamaMax.Edge.Jobs;

/// <summary><c>POST /cluster/jobs/{id}/claim</c>: a worker asks to run a background job (<see cref="JobClaimRequest"/>).</summary>
internal sealed class JobClaimEndpoints(WorkerGate gate, BackgroundJobs jobs, RequestBodyReader bodies) : IEndpointGroup
{
    private const int LongestId = 100;

    public void Map(IEndpointRouteBuilder endpoints) =>
        // A worker is nobody's principal: its own signature is looked at inside.
        endpoints.MapPost("/cluster/jobs/{id}/claim", ClaimAsync).WithMetadata(new AllowAnonymousAttribute()).Describe(EndpointDescription.Internal);

    private async Task ClaimAsync(HttpContext context)
    {
        CancellationToken cancellationToken = context.RequestAborted;
        if ((await WorkerRequests.ReadAsync(context, bodies, ProtocolJson.Default.JobClaimRequest)).Failed(out ApiError? error, out JobClaimRequest? request)
            || (error = Check(request)) is not null
            || (error = await gate.AuthenticateAsync(request.WorkerId, WorkerRequests.Bearer(context), cancellationToken)) is not null)
        {
            await ErrorAnswer.WriteAsync(context, error);
            return;
        }
        JobClaimAnswer answer = await jobs.ClaimAsync((string)context.GetRouteValue("id")!, request, cancellationToken);
        await JsonAnswer.WriteAsync(context, answer, ProtocolJson.Default.JobClaimAnswer);
    }

    private static ApiError? Check(JobClaimRequest request)
    {
        if (!ProtocolVersion.IsCompatible(request.Version))
            return new ApiError(StatusCodes.Status426UpgradeRequired, ProtocolVersion.UpgradeMessage(request.Version));
        return IsId(request.WorkerId) && IsId(request.ClaimId) && IsId(request.MessageId)
            ? null
            : ApiError.BadRequest($"worker_id, claim_id and message_id must have 1 to {LongestId} characters");
    }

    private static bool IsId(string? text) => text is { Length: > 0 and <= LongestId };
}
