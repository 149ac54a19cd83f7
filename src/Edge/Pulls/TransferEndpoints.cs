using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.OpenApi;
using OllamaMax.Security;

namespace OllamaMax.Edge.Pulls;

/// <summary><c>GET /cluster/transfers[/{id}]</c> and <c>DELETE</c>: the pulls that run at this edge, and the copies that workers make.</summary>
internal sealed class TransferEndpoints(IEnumerable<ITransferSource> sources) : IEndpointGroup
{
    public void Map(IEndpointRouteBuilder endpoints)
    {
        RequiredPermission read = new(Permissions.ReadCluster);
        endpoints.MapGet("/cluster/transfers", ShowAllAsync).WithMetadata(read)
            .Describe(new(EndpointDescription.Own, "Pulls that run at this edge, and copies that workers make.") { AnswerType = TransferJson.Default.TransfersAnswer });
        endpoints.MapGet("/cluster/transfers/{id}", ShowAsync).WithMetadata(read)
            .Describe(new(EndpointDescription.Own, "A pull, or a worker's copy.") { AnswerType = TransferJson.Default.TransferAnswer });
        endpoints.MapDelete("/cluster/transfers/{id}", CancelAsync).WithMetadata(new RequiredPermission(Permissions.ManageModels))
            .Describe(new(EndpointDescription.Own, "Cancels a pull, or a worker's copy."));
    }

    private async Task ShowAllAsync(HttpContext context) =>
        await JsonAnswer.WriteAsync(context, new TransfersAnswer(await ListAsync(context.RequestAborted)), TransferJson.Default.TransfersAnswer);

    private async Task ShowAsync(HttpContext context)
    {
        if ((await ListAsync(context.RequestAborted)).FirstOrDefault(transfer => transfer.Id == Id(context)) is { } transfer)
            await JsonAnswer.WriteAsync(context, transfer, TransferJson.Default.TransferAnswer);
        else
            await NotFoundAsync(context);
    }

    private async Task CancelAsync(HttpContext context)
    {
        foreach (ITransferSource source in sources)
        {
            if (!await source.CancelAsync(Id(context), context.RequestAborted))
                continue;
            context.Response.StatusCode = StatusCodes.Status204NoContent;
            return;
        }
        await NotFoundAsync(context);
    }

    private async Task<IReadOnlyList<TransferAnswer>> ListAsync(CancellationToken cancellationToken)
    {
        List<TransferAnswer> all = [];
        foreach (ITransferSource source in sources)
            all.AddRange(await source.ListAsync(cancellationToken));
        return all;
    }

    private static string Id(HttpContext context) => (string)context.GetRouteValue("id")!;

    private static Task NotFoundAsync(HttpContext context) =>
        ErrorAnswer.WriteAsync(context, new ApiError(StatusCodes.Status404NotFound, $"no transfer '{Id(context)}' runs at this edge"));
}

internal sealed record TransfersAnswer(IReadOnlyList<TransferAnswer> Transfers);

/// <param name="Kind">pull or replica.</param>
/// <param name="State">running; a copy that could not be had is failed for some minutes. What has ended otherwise is not kept.</param>
/// <param name="Completed">Bytes that are there.</param>
/// <param name="Total">Bytes of all that is counted so far.</param>
/// <param name="BytesPerSecond">Fetched since the start, on average.</param>
internal sealed record TransferAnswer(string Id, string Model, string Kind, string State, long Completed, long Total, long BytesPerSecond)
{
    public const string Running = "running";

    /// <summary>Who makes the copy; left out of a pull.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? WorkerId { get; init; }

    /// <summary>Why it failed; left out where it did not.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Error { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(TransfersAnswer))]
[JsonSerializable(typeof(TransferAnswer))]
internal sealed partial class TransferJson : JsonSerializerContext;
