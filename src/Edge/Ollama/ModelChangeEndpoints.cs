using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.OpenApi;
using OllamaMax.Edge.Pulls;
using OllamaMax.Edge.Templates;
using OllamaMax.Models;
using OllamaMax.Security;
using OllamaMax.Storage.Models;

namespace OllamaMax.Edge.Ollama;

/// <summary><c>/api/copy</c>, <c>/api/delete</c>, <c>/api/create</c> and <c>/api/push</c>.</summary>
internal sealed class ModelChangeEndpoints(
    RequestBodyReader bodies, ModelCatalog catalog, ModelBlobs blobs, ActivePulls pulls, PullFollower follower, TemplateCheck check, IOptions<EdgeOptions> options, TimeProvider time) : IEndpointGroup
{
    private readonly ConvertedCreation _converted = new(catalog, blobs, check, options, time);

    public void Map(IEndpointRouteBuilder endpoints)
    {
        RequiredPermission manage = new(Permissions.ManageModels);
        endpoints.MapPost("/api/copy", CopyAsync).WithMetadata(manage)
            .Describe(Said("Puts another name onto a model.") with { Body = "OllamaCopyRequest" });
        endpoints.MapDelete("/api/delete", DeleteAsync).WithMetadata(manage)
            .Describe(Said("Takes a model's name away.") with { Body = "OllamaModelRequest" });
        endpoints.MapPost("/api/create", CreateAsync).WithMetadata(manage)
            .Describe(Said("Makes a model of another one or of a blob.") with { Body = "OllamaCreateRequest", Answer = "OllamaProgress", Stream = "application/x-ndjson" });
        endpoints.MapPost("/api/push", PushAsync).WithMetadata(manage)
            .Describe(Said("Not done here: 501.") with { Body = "OllamaModelRequest", Status = StatusCodes.Status501NotImplemented });
    }

    private static EndpointDescription Said(string summary) => new(EndpointDescription.Ollama, summary);

    private async Task CopyAsync(HttpContext context)
    {
        if ((await ReadAsync(context, static fields => new Names(ModelNameField.Read(fields, "source"), ModelNameField.Read(fields, "destination"))))
            .Failed(out ApiError? error, out Names? names))
            await ErrorAnswer.WriteAsync(context, error);
        else if (!await catalog.CopyAsync(names.First!, names.Second!, context.RequestAborted))
            await ErrorAnswer.WriteAsync(context, ApiError.ModelNotFound(names.First!.ToString()));
    }

    private async Task DeleteAsync(HttpContext context)
    {
        if ((await ReadAsync(context, static fields => new Names(ModelNameField.Read(fields, "model", "name"), null))).Failed(out ApiError? error, out Names? names))
            await ErrorAnswer.WriteAsync(context, error);
        else if (!await catalog.DeleteAsync(names.First!, context.RequestAborted))
            await ErrorAnswer.WriteAsync(context, ApiError.ModelNotFound(names.First!.ToString()));
    }

    private async Task CreateAsync(HttpContext context)
    {
        if ((await JsonRequest.ReadAsync(context, bodies, CreateRequest.Read)).Failed(out ApiError? error, out CreateRequest? request))
        {
            await ErrorAnswer.WriteAsync(context, error);
            return;
        }
        RequestInfo.Of(context).Subject = $"{request.Name}";
        try
        {
            await CreateAsync(context, request);
        }
        catch (OperationCanceledException) when (RequestLimit.ReachedBy(context) is not null && context.Response.HasStarted)
        {
            await ProgressLines.EndAtLimitAsync(context, request.IsStream, ": the same request goes on with what is done");
        }
    }

    private async Task CreateAsync(HttpContext context, CreateRequest request)
    {
        await using ProgressLines progress = new(context, request.IsStream);
        try
        {
            if (await PullMissingAsync(context, request, progress) is { } error)
                await progress.FailAsync(error);
            else if (await _converted.DoesAsync(request, context.RequestAborted))
                await _converted.CreateAsync(context, request, progress);
            else
                await CreateAsync(request, progress, context.RequestAborted);
        }
        catch (ModelPublishException e)
        {
            await progress.FailAsync(ApiError.BadRequest(e.Message));
        }
        catch (CatalogException e) when (context.Response.HasStarted)
        {
            await progress.FailAsync(new ApiError(StatusCodes.Status503ServiceUnavailable, e.Message));
        }
    }

    /// <summary>What another one is to be made from is pulled where it is not there, as Ollama does it; who may make models may pull them.</summary>
    private async Task<ApiError?> PullMissingAsync(HttpContext context, CreateRequest request, ProgressLines progress)
    {
        if (request.From is not { } from || await catalog.FindAsync(from, context.RequestAborted) is not null)
            return null;
        using PullHandle pull = pulls.Join(new PullRequest(from, null));
        return await follower.FollowAsync(context, pull, progress) is { } error
            ? new ApiError(StatusCodes.Status500InternalServerError, $"model '{from}' is not there, and cannot be pulled: {error}")
            : null;
    }

    /// <summary>Nothing here takes long enough for a client to wait for: what happened is told when it has.</summary>
    private async Task CreateAsync(CreateRequest request, ProgressLines progress, CancellationToken cancellationToken)
    {
        if (await TryCreateAsync(request, cancellationToken) is { } error)
        {
            await progress.FailAsync(error);
            return;
        }
        string? warning = await check.WarningAsync(request.Name, cancellationToken);
        progress.Say(request.Weights is null ? $"using existing layers of {request.From}" : $"using existing layer {request.Weights[0]}");
        progress.Say("writing manifest");
        if (warning is not null)
            progress.Say(warning);
        progress.Say(PullLine.Success);
    }

    private async Task<ApiError?> TryCreateAsync(CreateRequest request, CancellationToken cancellationToken)
    {
        if (request.From is { } from)
            return await catalog.DeriveAsync(from, request.Name, request.Modelfile, cancellationToken) ? null : ApiError.ModelNotFound(from.ToString());
        return await catalog.CreateAsync(request.Weights![0], request.Name, request.Modelfile, cancellationToken)
            ? null
            : NoBlob(request.Weights[0]);
    }

    internal static ApiError NoBlob(string digest) => ApiError.BadRequest($"blob {digest} is not there: send it to /api/blobs/{digest} first");

    private static Task PushAsync(HttpContext context) => ErrorAnswer.WriteAsync(
        context, new ApiError(StatusCodes.Status501NotImplemented, "this server does not push: its models are its cluster's, in its own blob storage"));

    private ValueTask<Result<Names>> ReadAsync(HttpContext context, Func<JsonFields, Names> read) =>
        JsonRequest.ReadAsync<Names>(context, bodies, fields =>
        {
            Names names = read(fields);
            if (fields.Errors.First is { } error)
                return error;
            RequestInfo.Of(context).Subject = names.Second is null ? $"{names.First}" : $"{names.First} to {names.Second}";
            return names;
        });

    private sealed record Names(ModelName? First, ModelName? Second);
}
