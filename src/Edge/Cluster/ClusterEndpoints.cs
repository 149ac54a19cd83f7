using System.Text.Json;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using OllamaMax.Cluster;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.OpenApi;
using OllamaMax.Edge.Requests;
using OllamaMax.Edge.Security.Audit;
using OllamaMax.Models;
using OllamaMax.Security;
using OllamaMax.SignalR;
using OllamaMax.Storage.Workers;
using OllamaMax.Streaming;
using OllamaMax.Workers;

namespace OllamaMax.Edge.Cluster;

/// <summary>The cluster's own endpoints, and <c>/negotiate</c>.</summary>
internal sealed class ClusterEndpoints(
    WorkerGate gate,
    ClusterStatus status,
    WorkerWishes wishes,
    WorkerEnrolments enrolments,
    ClusterWatch watch,
    ClusterDocuments documents,
    IModelSource models,
    SignalRHub hub,
    RequestBodyReader bodies,
    TimeProvider time)
    : IEndpointGroup
{
    private static readonly TimeSpan ViewMaxAge = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ClientTokenLifetime = TimeSpan.FromHours(1);

    public void Map(IEndpointRouteBuilder endpoints)
    {
        RequiredPermission read = new(Permissions.ReadCluster);
        RequiredPermission manage = new(Permissions.ManageCluster);
        AllowAnonymousAttribute ownCredentials = new();
        endpoints.MapGet("/cluster/status", StatusAsync).WithMetadata(read)
            .Describe(Said("This edge, the leader and its epoch, and how much there is of everything.") with { AnswerType = ClusterJson.Default.StatusAnswer });
        endpoints.MapGet("/cluster/queues", QueuesAsync).WithMetadata(read)
            .Describe(Said("The models' queues, and how many messages are in each.") with { AnswerType = ClusterJson.Default.QueuesAnswer });
        endpoints.MapGet("/cluster/workers", WorkersAsync).WithMetadata(read)
            .Describe(Said("The workers, as their last heartbeats show them.") with { AnswerType = ClusterJson.Default.WorkersAnswer });
        endpoints.MapGet("/cluster/workers/{id}", WorkerAsync).WithMetadata(read)
            .Describe(Said("One worker.") with { AnswerType = ClusterJson.Default.WorkerAnswer });
        endpoints.MapPost("/cluster/workers/{id}/drain", context => WishAsync(context, wishes.DrainAsync)).WithMetadata(manage)
            .Describe(Said("Has a worker finish what it runs and take nothing new, until it is undrained.") with { AnswerType = ClusterJson.Default.WorkerAnswer });
        endpoints.MapPost("/cluster/workers/{id}/undrain", context => WishAsync(context, wishes.UndrainAsync)).WithMetadata(manage)
            .Describe(Said("Has a worker take jobs again.") with { AnswerType = ClusterJson.Default.WorkerAnswer });
        endpoints.MapDelete("/cluster/workers/{id}", RevokeAsync).WithMetadata(manage)
            .Describe(Said("Takes back that a worker was let in: it gets nothing any more, and cannot come back under this id.") with { AnswerType = ClusterJson.Default.WorkerAnswer });
        endpoints.MapPost("/cluster/join-tokens", JoinTokenAsync).WithMetadata(new RequiredPermission(Permissions.JoinWorkers))
            .Describe(Said("A token that is good for one worker, once.") with { AnswerType = ClusterJson.Default.JoinTokenAnswer });
        // A worker is nobody's principal: the join token, and later its own signature, are looked at inside.
        endpoints.MapPost("/cluster/enrolments", EnrolAsync).WithMetadata(ownCredentials, new ActOnceDone()).Describe(EndpointDescription.Internal);
        endpoints.MapPost("/cluster/workers/{id}/capabilities", RenewAsync).WithMetadata(ownCredentials).Describe(EndpointDescription.Internal);
        endpoints.MapPost("/negotiate", NegotiateAsync).WithMetadata(new RequiredPermission(Permissions.Infer))
            .Describe(Said("Where to listen to SignalR, and a token for it.") with { AnswerType = ClusterJson.Default.NegotiateAnswer });
    }

    private static EndpointDescription Said(string summary) => new(EndpointDescription.Own, summary);

    private async Task StatusAsync(HttpContext context) =>
        await JsonAnswer.WriteAsync(context, await status.ShowAsync(context.RequestAborted), ClusterJson.Default.StatusAnswer);

    private async Task QueuesAsync(HttpContext context) =>
        await JsonAnswer.WriteAsync(context, new QueuesAnswer(await status.QueuesAsync(context.RequestAborted)), ClusterJson.Default.QueuesAnswer);

    private async Task WorkersAsync(HttpContext context)
    {
        IReadOnlyList<WorkerAnswer> workers = await ListAsync(context.RequestAborted);
        await JsonAnswer.WriteAsync(context, new WorkersAnswer(workers), ClusterJson.Default.WorkersAnswer);
    }

    private async Task WorkerAsync(HttpContext context)
    {
        if (await FindAsync(context) is { } worker)
            await JsonAnswer.WriteAsync(context, worker, ClusterJson.Default.WorkerAnswer);
        else
            await ErrorAnswer.WriteAsync(context, new ApiError(404, $"worker '{Id(context)}' not found"));
    }

    private async Task WishAsync(HttpContext context, Func<string, CancellationToken, Task<ApiError?>> putAsync)
    {
        string id = Id(context);
        // Of a worker that nobody has heard of nothing is written: the state holds what there is.
        if ((await watch.GetAsync(ViewMaxAge, context.RequestAborted)).Any(worker => worker.Report.Id == id)
            && await putAsync(id, context.RequestAborted) is { } error)
            await ErrorAnswer.WriteAsync(context, error);
        else
            await WorkerAsync(context);
    }

    /// <summary>Whoever is enrolled can be revoked. Whether it is listed its reports decide, which it writes itself.</summary>
    private async Task RevokeAsync(HttpContext context)
    {
        if (await enrolments.FindAsync(Id(context), context.RequestAborted) is not { } enrolled)
            await WishAsync(context, wishes.RevokeAsync);
        else if (await wishes.RevokeAsync(enrolled.Id, context.RequestAborted) is { } error)
            await ErrorAnswer.WriteAsync(context, error);
        else
            await JsonAnswer.WriteAsync(context, await FindAsync(context) ?? Unheard(enrolled), ClusterJson.Default.WorkerAnswer);
    }

    private static string Id(HttpContext context) => (string)context.GetRouteValue("id")!;

    private async Task<WorkerAnswer?> FindAsync(HttpContext context) => (await ListAsync(context.RequestAborted)).FirstOrDefault(worker => worker.Id == Id(context));

    /// <summary>Of one without a report that can be read, once it is revoked.</summary>
    private WorkerAnswer Unheard(EnrolmentRecord enrolled) => new(
        enrolled.Id, enrolled.Name, "", 0, null, new Dictionary<string, string>(), State(WorkerState.Gone), new SlotsAnswer(0, 0), [], [], new MemoryAnswer(0, 0), null, "", 0,
        Seconds(time.GetUtcNow() - enrolled.EnrolledAt));

    private static string State(WorkerState state) => JsonNamingPolicy.SnakeCaseLower.ConvertName(state.ToString());

    private static double Seconds(TimeSpan age) => Math.Round(age.TotalSeconds, 1);

    private async Task<IReadOnlyList<WorkerAnswer>> ListAsync(CancellationToken cancellationToken)
    {
        ILookup<string, ModelView> names = (await models.ListAsync(cancellationToken)).ToLookup(model => model.Weights);
        IReadOnlyList<WorkerView> views = await watch.GetAsync(ViewMaxAge, cancellationToken);
        return [.. views.OrderBy(view => view.Report.Name, StringComparer.Ordinal).ThenBy(view => view.Report.Id, StringComparer.Ordinal).Select(view => Answer(view, names))];
    }

    private WorkerAnswer Answer(WorkerView view, ILookup<string, ModelView> names)
    {
        WorkerReport report = view.Report;
        return new WorkerAnswer(
            report.Id,
            report.Name,
            report.Host,
            report.Pid,
            report.Site,
            view.Labels,
            State(view.State),
            new SlotsAnswer(report.SlotsUsed, report.SlotsTotal),
            [
                .. report.Models.Select(held => Answer(held, names)),
                .. view.Forwarded.Select(model => new WorkerModelAnswer(names[model.Digest].FirstOrDefault()?.Name.ToString(), model.Digest, Loaded: true, Hangs: false, null, null, null, null)),
            ],
            report.Devices,
            new MemoryAnswer(report.MemoryTotal, report.MemoryFree),
            report.TokensPerSecond,
            report.Program,
            report.Version,
            Seconds(view.Age))
        {
            DrainRequested = view.IsToDrain,
            StateSince = documents.State.Last?.Content.Members.GetValueOrDefault(report.Id) is { } member && member.State == view.State ? member.Since : null,
            Drained = view.IsDrained,
            Flags = view.Flags,
        };
    }

    private static WorkerModelAnswer Answer(HeldModel held, ILookup<string, ModelView> names) => new(
        names[held.Digest].FirstOrDefault()?.Name.ToString(), held.Digest, held.Loaded, held.Hangs == true, held.Bytes, held.VramBytes, held.TokensPerSecond, held.JobTokensPerSecond);

    private async Task JoinTokenAsync(HttpContext context) =>
        await JsonAnswer.WriteAsync(context, await gate.CreateJoinTokenAsync(context.RequestAborted), ClusterJson.Default.JoinTokenAnswer);

    private async Task EnrolAsync(HttpContext context)
    {
        if ((await WorkerRequests.ReadAsync(context, bodies, ProtocolJson.Default.EnrolmentRequest)).Failed(out ApiError? error, out EnrolmentRequest? request))
            await ErrorAnswer.WriteAsync(context, error);
        else
            await WriteEnrolledAsync(context, await gate.EnrolAsync(WorkerRequests.Bearer(context), request, context.RequestAborted));
    }

    private static Task WriteEnrolledAsync(HttpContext context, Result<WorkerCapabilities> result)
    {
        if (!result.Failed(out _, out WorkerCapabilities? enrolled))
            RequestInfo.Of(context).Subject = enrolled.WorkerId;
        return WriteAsync(context, result);
    }

    private async Task RenewAsync(HttpContext context)
    {
        if ((await WorkerRequests.ReadAsync(context, bodies, ProtocolJson.Default.CapabilityRequest)).Failed(out ApiError? error, out CapabilityRequest? request))
            await ErrorAnswer.WriteAsync(context, error);
        else
            await WriteAsync(context, await gate.RenewAsync(Id(context), WorkerRequests.Bearer(context), request, context.RequestAborted));
    }

    private Task NegotiateAsync(HttpContext context)
    {
        // A user of its own for each client, which it cannot choose: nobody hears what is meant for another.
        string user = $"client-{Guid.NewGuid():n}";
        return JsonAnswer.WriteAsync(context, NegotiateAnswer.Of(hub.Negotiate(user, ClientTokenLifetime)), ClusterJson.Default.NegotiateAnswer);
    }

    private static Task WriteAsync(HttpContext context, Result<WorkerCapabilities> result) =>
        result.Failed(out ApiError? error, out WorkerCapabilities? capabilities)
            ? ErrorAnswer.WriteAsync(context, error)
            : JsonAnswer.WriteAsync(context, capabilities, ProtocolJson.Default.WorkerCapabilities);
}
