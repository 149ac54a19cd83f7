using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Ollama;
using OllamaMax.Edge.OpenApi;
using OllamaMax.Edge.Pulls;
using OllamaMax.Models;
using OllamaMax.Security;
using OllamaMax.Storage.Models;

namespace OllamaMax.Edge.Uploads;

/// <summary>
/// <c>POST /models/uploads</c> and <c>POST /models/uploads/{digest}/complete</c>: what <c>/api/blobs</c> does, for content that goes to storage directly.
/// </summary>
internal sealed class UploadEndpoints(
    RequestBodyReader bodies, UploadedBlobs uploads, ModelBlobs blobs, IOptions<EdgeOptions> options, TimeProvider time) : IEndpointGroup
{
    /// <summary>100 GB at 10 MB/s are three hours.</summary>
    private static readonly TimeSpan Lifetime = TimeSpan.FromHours(6);

    public void Map(IEndpointRouteBuilder endpoints)
    {
        RequiredPermission manage = new(Permissions.ManageModels);
        endpoints.MapPost("/models/uploads", BeginAsync).WithMetadata(manage)
            .Describe(new(EndpointDescription.Own, "Where to write a large blob to.") { Body = "UploadRequest", AnswerType = UploadJson.Default.UploadAnswer });
        endpoints.MapPost("/models/uploads/{digest}/complete", CompleteAsync).WithMetadata(manage)
            .Describe(new(EndpointDescription.Own, "Verifies what was written, and makes it visible.") { Answer = "OllamaProgress", ContentType = "application/x-ndjson" });
    }

    private async Task BeginAsync(HttpContext context)
    {
        if ((await JsonRequest.ReadAsync(context, bodies, Read)).Failed(out ApiError? error, out Upload? upload))
        {
            await ErrorAnswer.WriteAsync(context, error);
            return;
        }
        bool isThere = await blobs.FindAsync(upload.Digest, context.RequestAborted) is not null;
        DateTimeOffset expiresAt = time.GetUtcNow() + Lifetime;
        UploadAnswer answer = isThere
            ? new(upload.Digest, upload.Size, Complete: true, null, null)
            : new(upload.Digest, upload.Size, Complete: false, (await uploads.UploadUrlAsync(upload.Digest, expiresAt, context.RequestAborted)).ToString(), expiresAt);
        await JsonAnswer.WriteAsync(context, answer, UploadJson.Default.UploadAnswer);
    }

    /// <summary>Progress lines, as reading it all may take longer than a front bears silence.</summary>
    private async Task CompleteAsync(HttpContext context)
    {
        string digest = (string)context.GetRouteValue("digest")!;
        if (!ModelDigest.IsValid(digest))
        {
            await ErrorAnswer.WriteAsync(context, ApiError.BadRequest("the path must name a digest: sha256: and 64 lower-case hex digits"));
            return;
        }
        bool isThere = await blobs.FindAsync(digest, context.RequestAborted) is not null;
        if (!isThere && await uploads.FindAsync(digest, context.RequestAborted) is null)
        {
            await ErrorAnswer.WriteAsync(context, new ApiError(StatusCodes.Status404NotFound, $"nothing was uploaded for {digest}: ask POST /models/uploads where to"));
            return;
        }
        try
        {
            await VerifyAsync(context, digest, isThere);
        }
        catch (OperationCanceledException) when (RequestLimit.ReachedBy(context) is not null && context.Response.HasStarted)
        {
            RequestLimit.Lift(context);
            await using ProgressLines progress = new(context, isStream: true);
            progress.Say(PullLine.Unfinished);
        }
    }

    private async Task VerifyAsync(HttpContext context, string digest, bool isThere)
    {
        await using ProgressLines progress = new(context, isStream: true);
        Task<string?> verifying = isThere ? Task.FromResult<string?>(null) : uploads.CompleteAsync(digest, context.RequestAborted);
        try
        {
            do
            {
                progress.Say("verifying sha256 digest");
                await progress.FlushAsync();
                await ((Task)verifying).WaitAsync(options.Value.HeartbeatInterval, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            while (!verifying.IsCompleted);
        }
        finally
        {
            // Cancelled, it keeps how far it is.
            await ((Task)verifying).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        try
        {
            if (await verifying is { } actual)
                await progress.FailAsync(ApiError.BadRequest($"digest mismatch, expected \"{digest}\", got \"{actual}\""));
            else
                progress.Say(PullLine.Success);
        }
        catch (CatalogException e)
        {
            await progress.FailAsync(new ApiError(StatusCodes.Status503ServiceUnavailable, e.Message));
        }
    }

    private static Result<Upload> Read(JsonFields fields)
    {
        string? digest = fields.Text("digest");
        if (!ModelDigest.IsValid(digest))
            fields.Errors.Add("digest", "must be a digest: sha256: and 64 lower-case hex digits");
        long? size = fields.Integer("size", 0, ModelBlobs.LargestSize);
        if (size is null)
            fields.Errors.Add("size", "is required: the bytes that will be uploaded");
        return fields.Errors.First is { } wrong ? wrong : new Upload(digest!, size!.Value);
    }

    private sealed record Upload(string Digest, long Size);
}

/// <param name="Complete">It is there already: nothing is to be uploaded.</param>
/// <param name="Url">Takes the content by Azure's Put Blob; null where it is complete.</param>
internal sealed record UploadAnswer(string Digest, long Size, bool Complete, string? Url, DateTimeOffset? ExpiresAt);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(UploadAnswer))]
internal sealed partial class UploadJson : JsonSerializerContext;
