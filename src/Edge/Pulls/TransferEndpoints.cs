using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.OpenApi;
using OllamaMax.Security;

namespace OllamaMax.Edge.Pulls;

/// <summary>
/// <c>GET /cluster/transfers[/{id}]</c> and <c>DELETE</c>: pulls that nobody has to follow, others that run at this edge, and the copies that workers make.
/// <c>POST /cluster/transfers</c> begins one of the first.
/// </summary>
internal sealed class TransferEndpoints(
    IEnumerable<ITransferSource> sources, DurablePulls durable, RequestBodyReader bodies, IOptions<PullOptions> options) : IEndpointGroup
{
    public void Map(IEndpointRouteBuilder endpoints)
    {
        RequiredPermission read = new(Permissions.ReadCluster);
        RequiredPermission manage = new(Permissions.ManageModels);
        endpoints.MapPost("/cluster/transfers", StartAsync).WithMetadata(manage)
            .Describe(new(EndpointDescription.Own, "Brings a model without anybody who waits for it.")
            {
                Body = "OllamaPullRequest",
                AnswerType = TransferJson.Default.TransferAnswer,
                Status = StatusCodes.Status202Accepted,
            });
        endpoints.MapGet("/cluster/transfers", ShowAllAsync).WithMetadata(read)
            .Describe(new(EndpointDescription.Own, "Pulls, and copies that workers make.") { AnswerType = TransferJson.Default.TransfersAnswer });
        endpoints.MapGet("/cluster/transfers/{id}", ShowAsync).WithMetadata(read)
            .Describe(new(EndpointDescription.Own, "A pull, or a worker's copy.") { AnswerType = TransferJson.Default.TransferAnswer });
        endpoints.MapDelete("/cluster/transfers/{id}", CancelAsync).WithMetadata(manage)
            .Describe(new(EndpointDescription.Own, "Cancels a pull, or a worker's copy."));
    }

    private async Task StartAsync(HttpContext context)
    {
        if ((await JsonRequest.ReadAsync(context, bodies, fields => PullRequest.Read(fields, options.Value))).Failed(out ApiError? error, out PullRequest? request))
        {
            await ErrorAnswer.WriteAsync(context, error);
            return;
        }
        RequestInfo.Of(context).Subject = $"{request.Name}";
        if ((await durable.StartAsync(context, request)).Failed(out error, out TransferAnswer? started))
        {
            await ErrorAnswer.WriteAsync(context, error);
            return;
        }
        context.Response.Headers.Location = $"/cluster/transfers/{started.Id}";
        await JsonAnswer.WriteAsync(context, started, TransferJson.Default.TransferAnswer, StatusCodes.Status202Accepted);
    }

    private async Task ShowAllAsync(HttpContext context) =>
        await JsonAnswer.WriteAsync(context, new TransfersAnswer(await ListAsync(context)), TransferJson.Default.TransfersAnswer);

    private async Task ShowAsync(HttpContext context)
    {
        if ((await ListAsync(context)).FirstOrDefault(transfer => transfer.Id == Id(context)) is { } transfer)
            await JsonAnswer.WriteAsync(context, transfer, TransferJson.Default.TransferAnswer);
        else
            await ErrorAnswer.WriteAsync(context, NotFound(Id(context)));
    }

    private async Task CancelAsync(HttpContext context)
    {
        TransferOutcome outcome = await durable.CancelAsync(context, Id(context));
        foreach (ITransferSource source in sources)
        {
            if (outcome != TransferOutcome.NotThere)
                break;
            outcome = await source.CancelAsync(Id(context), context.RequestAborted);
        }
        await AnswerAsync(context, outcome switch
        {
            TransferOutcome.Done => null,
            TransferOutcome.TooLate => new ApiError(StatusCodes.Status409Conflict, $"the model of '{Id(context)}' is being written: it cannot be cancelled any more"),
            TransferOutcome.NotTold => NotTold(Id(context)),
            _ => NotFound(Id(context)),
        });
    }

    private async Task<IReadOnlyList<TransferAnswer>> ListAsync(HttpContext context)
    {
        List<TransferAnswer> all = [.. await durable.ListAsync(context)];
        // A slice of one is a pull of this edge: that is the same, told twice.
        HashSet<string> told = [.. all.Where(pull => pull.State == TransferAnswer.Running).Select(pull => pull.Model)];
        foreach (ITransferSource source in sources)
            all.AddRange((await source.ListAsync(context.RequestAborted)).Where(transfer => transfer.Kind != TransferAnswer.Pull || !told.Contains(transfer.Model)));
        return all;
    }

    private static string Id(HttpContext context) => (string)context.GetRouteValue("id")!;

    private static ApiError NotFound(string id) => new(StatusCodes.Status404NotFound, $"no transfer '{id}' runs at this edge");

    /// <summary>For <see cref="TransferOutcome.NotTold"/>.</summary>
    public static ApiError NotTold(string id) => new(StatusCodes.Status503ServiceUnavailable, $"the worker of '{id}' could not be told: SignalR did not take the message; try again");

    /// <param name="context">The request.</param>
    /// <param name="error">Null: it is done.</param>
    public static Task AnswerAsync(HttpContext context, ApiError? error)
    {
        if (error is not null)
            return ErrorAnswer.WriteAsync(context, error);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }
}

internal sealed record TransfersAnswer(IReadOnlyList<TransferAnswer> Transfers);

/// <param name="Kind">pull or replica.</param>
/// <param name="State">
/// running; a copy that could not be had is failed for some minutes, one that was ended is cancelled for a quarter of an hour; a pull that nobody had to follow is completed, failed or cancelled for a day. What has ended otherwise is not kept.
/// </param>
/// <param name="Completed">Bytes that are there.</param>
/// <param name="Total">Bytes of all that is counted so far.</param>
/// <param name="BytesPerSecond">Fetched since the start, on average.</param>
internal sealed record TransferAnswer(string Id, string Model, string Kind, string State, long Completed, long Total, long BytesPerSecond)
{
    public const string Pull = "pull";

    public const string Running = "running";

    public const string Failed = "failed";

    public const string Cancelled = "cancelled";

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
