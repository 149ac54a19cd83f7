using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.OpenApi;
using OllamaMax.Security;

namespace OllamaMax.Edge.Pulls;

/// <summary><c>GET /cluster/transfers[/{id}]</c> and <c>DELETE</c>: the pulls that run at this edge.</summary>
internal sealed class TransferEndpoints(ActivePulls pulls) : IEndpointGroup
{
    public void Map(IEndpointRouteBuilder endpoints)
    {
        RequiredPermission read = new(Permissions.ReadCluster);
        endpoints.MapGet("/cluster/transfers", ListAsync).WithMetadata(read)
            .Describe(new(EndpointDescription.Own, "Pulls that run at this edge.") { AnswerType = TransferJson.Default.TransfersAnswer });
        endpoints.MapGet("/cluster/transfers/{id}", FindAsync).WithMetadata(read)
            .Describe(new(EndpointDescription.Own, "A pull.") { AnswerType = TransferJson.Default.TransferAnswer });
        endpoints.MapDelete("/cluster/transfers/{id}", CancelAsync).WithMetadata(new RequiredPermission(Permissions.ManageModels))
            .Describe(new(EndpointDescription.Own, "Cancels a pull."));
    }

    private Task ListAsync(HttpContext context) =>
        JsonAnswer.WriteAsync(context, new TransfersAnswer([.. pulls.List().Select(Answer)]), TransferJson.Default.TransfersAnswer);

    private Task FindAsync(HttpContext context) => pulls.List().FirstOrDefault(pull => pull.Id == Id(context)) is { } pull
        ? JsonAnswer.WriteAsync(context, Answer(pull), TransferJson.Default.TransferAnswer)
        : NotFoundAsync(context);

    private Task CancelAsync(HttpContext context)
    {
        if (!pulls.Cancel(Id(context)))
            return NotFoundAsync(context);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }

    private static string Id(HttpContext context) => (string)context.GetRouteValue("id")!;

    private static Task NotFoundAsync(HttpContext context) =>
        ErrorAnswer.WriteAsync(context, new ApiError(StatusCodes.Status404NotFound, $"no transfer '{Id(context)}' runs at this edge"));

    private static TransferAnswer Answer(RunningPull pull)
    {
        (long completed, long total, long speed) = pull.Progress.Sum;
        return new(pull.Id, pull.Request.Name.ToString(), "pull", "running", completed, total, speed);
    }
}

internal sealed record TransfersAnswer(IReadOnlyList<TransferAnswer> Transfers);

/// <param name="State">Always running: what has ended is not kept.</param>
/// <param name="Completed">Bytes that are there.</param>
/// <param name="Total">Bytes of all that is counted so far.</param>
/// <param name="BytesPerSecond">Fetched since the start, on average.</param>
internal sealed record TransferAnswer(string Id, string Model, string Kind, string State, long Completed, long Total, long BytesPerSecond);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(TransfersAnswer))]
[JsonSerializable(typeof(TransferAnswer))]
internal sealed partial class TransferJson : JsonSerializerContext;
