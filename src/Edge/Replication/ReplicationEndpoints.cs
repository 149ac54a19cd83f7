using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using OllamaMax.Cluster;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.OpenApi;
using OllamaMax.Edge.Pulls;
using OllamaMax.Models;
using OllamaMax.Replication;
using OllamaMax.Security;
using OllamaMax.Storage.Models;

namespace OllamaMax.Edge.Replication;

/// <summary><c>/cluster/models</c>: copies of models, and the policies by which they are held. A name is written with its slashes, or without what may be left out.</summary>
internal sealed class ReplicationEndpoints(PolicyWishes wishes, ReplicaView replicas, ReplicaTransfers transfers, ModelCatalog catalog, RequestBodyReader bodies) : IEndpointGroup
{
    private static readonly string[] Names = ["{name}", "{namespace}/{name}", "{host}/{namespace}/{name}"];

    public void Map(IEndpointRouteBuilder endpoints)
    {
        RequiredPermission read = new(Permissions.ReadCluster);
        RequiredPermission manage = new(Permissions.ManageCluster);
        endpoints.MapGet("/cluster/models", ListAsync).WithMetadata(read)
            .Describe(Said("The published models, their policies, and how many copies there are.") with { AnswerType = ReplicationJson.Default.ReplicatedModelsAnswer });
        endpoints.MapPost("/cluster/transfers/{id}/resume", ResumeAsync).WithMetadata(new RequiredPermission(Permissions.ManageModels))
            .Describe(Said("Has a worker make a copy that was cancelled or has failed.") with { Status = StatusCodes.Status204NoContent });
        foreach (string name in Names)
        {
            bool isShort = name == Names[0];
            endpoints.MapGet($"/cluster/models/{name}/replicas", ShowAsync).WithMetadata(read)
                .Describe(isShort ? Said("A model's copies.") with { AnswerType = ReplicationJson.Default.ReplicasAnswer } : EndpointDescription.Internal);
            endpoints.MapGet($"/cluster/models/{name}/policy", PolicyAsync).WithMetadata(read)
                .Describe(isShort ? Said("How a model's copies are held.") with { AnswerType = ReplicationJson.Default.PolicyAnswer } : EndpointDescription.Internal);
            endpoints.MapPut($"/cluster/models/{name}/policy", PutAsync).WithMetadata(manage)
                .Describe(isShort ? Said("Sets how a model's copies are held.") with { Body = "ModelPolicy", AnswerType = ReplicationJson.Default.PolicyAnswer } : EndpointDescription.Internal);
            endpoints.MapDelete($"/cluster/models/{name}/policy", DeleteAsync).WithMetadata(manage)
                .Describe(isShort ? Said("Lets a model's copies come and go as requests bring them.") with { Status = StatusCodes.Status204NoContent } : EndpointDescription.Internal);
        }
    }

    private static EndpointDescription Said(string summary) => new(EndpointDescription.Own, summary);

    private async Task ListAsync(HttpContext context)
    {
        if ((await wishes.ReadAsync(context.RequestAborted)).Failed(out ApiError? error, out ClusterState? state))
            await ErrorAnswer.WriteAsync(context, error);
        else
            await JsonAnswer.WriteAsync(context, new ReplicatedModelsAnswer(await replicas.ListAsync(state, context.RequestAborted)), ReplicationJson.Default.ReplicatedModelsAnswer);
    }

    private async Task ShowAsync(HttpContext context)
    {
        if ((await FindAsync(context)).Failed(out ApiError? error, out ModelView? model) || (await wishes.ReadAsync(context.RequestAborted)).Failed(out error, out ClusterState? state))
            await ErrorAnswer.WriteAsync(context, error);
        else
            await JsonAnswer.WriteAsync(context, await replicas.ShowAsync(model, state, context.RequestAborted), ReplicationJson.Default.ReplicasAnswer);
    }

    private async Task PolicyAsync(HttpContext context)
    {
        if (Name(context).Failed(out ApiError? error, out ModelName? name) || (await wishes.ReadAsync(context.RequestAborted)).Failed(out error, out ClusterState? state))
            await ErrorAnswer.WriteAsync(context, error);
        else if (state.Policies.GetValueOrDefault(ClusterState.PolicyKey(name)) is { } policy)
            await JsonAnswer.WriteAsync(context, PolicyAnswer.Of(policy), ReplicationJson.Default.PolicyAnswer);
        else
            await ErrorAnswer.WriteAsync(context, NoPolicy(name));
    }

    private async Task PutAsync(HttpContext context)
    {
        if ((await FindAsync(context)).Failed(out ApiError? error, out ModelView? model)
            || (await PolicyRequest.ReadAsync(context, bodies)).Failed(out error, out ModelPolicy? policy))
        {
            await ErrorAnswer.WriteAsync(context, error);
            return;
        }
        // Whatever can fail comes before the policy is put: it would be an error of what is done.
        IReadOnlyList<string> wanted = await transfers.FindWantedAsync(model.Weights, policy, context.RequestAborted);
        if (await wishes.PutAsync(model.Name, policy, context.RequestAborted) is { } refused)
        {
            await ErrorAnswer.WriteAsync(context, refused);
            return;
        }
        await transfers.ResumeAsync(model.Weights, wanted);
        await JsonAnswer.WriteAsync(context, PolicyAnswer.Of(policy), ReplicationJson.Default.PolicyAnswer);
    }

    private async Task ResumeAsync(HttpContext context)
    {
        string id = RouteText.Of(context, "id")!;
        await TransferEndpoints.AnswerAsync(context, await transfers.ResumeAsync(id, context.RequestAborted) switch
        {
            TransferOutcome.Done => null,
            TransferOutcome.NotTold => TransferEndpoints.NotTold(id),
            _ => new ApiError(StatusCodes.Status404NotFound, $"'{id}' is no copy that was cancelled or has failed"),
        });
    }

    /// <summary>Of a name that nothing stands for any more, too.</summary>
    private async Task DeleteAsync(HttpContext context)
    {
        if (Name(context).Failed(out ApiError? error, out ModelName? name) || (await wishes.ReadAsync(context.RequestAborted)).Failed(out error, out ClusterState? state))
            await ErrorAnswer.WriteAsync(context, error);
        else if (!state.Policies.ContainsKey(ClusterState.PolicyKey(name)))
            await ErrorAnswer.WriteAsync(context, NoPolicy(name));
        else if (await wishes.PutAsync(name, null, context.RequestAborted) is { } refused)
            await ErrorAnswer.WriteAsync(context, refused);
        else
            context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private static ApiError NoPolicy(ModelName name) => new(StatusCodes.Status404NotFound, $"model '{name}' has no policy");

    private static Result<ModelName> Name(HttpContext context)
    {
        string text = string.Join('/', ((string[])["host", "namespace", "name"]).Select(part => RouteText.Of(context, part)).OfType<string>());
        return ModelName.TryParse(text, out ModelName? name, out string? error) ? name : ApiError.BadRequest(error);
    }

    private async Task<Result<ModelView>> FindAsync(HttpContext context)
    {
        if (Name(context).Failed(out ApiError? error, out ModelName? name))
            return error;
        return await catalog.FindAsync(name, context.RequestAborted) is { } model ? model : ApiError.ModelNotFound(name.ToString());
    }
}
