using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.OpenApi;
using OllamaMax.Models;
using OllamaMax.Security;
using OllamaMax.Storage.Models;

namespace OllamaMax.Edge.Ollama;

/// <summary><c>HEAD</c> and <c>POST /api/blobs/{digest}</c>: what <c>/api/create</c> makes models of.</summary>
internal sealed class BlobEndpoints(ModelBlobs blobs, IOptions<EdgeOptions> options) : IEndpointGroup
{
    public void Map(IEndpointRouteBuilder endpoints)
    {
        RequiredPermission manage = new(Permissions.ManageModels);
        endpoints.MapMethods("/api/blobs/{digest}", [HttpMethods.Head], HeadAsync).WithMetadata(manage)
            .Describe(new(EndpointDescription.Ollama, "Whether a blob is there: 200 or 404."));
        endpoints.MapPost("/api/blobs/{digest}", PostAsync).WithMetadata(manage)
            .Describe(new(EndpointDescription.Ollama, "Takes a blob: the body is the file, 200 where it was there already.") { Status = StatusCodes.Status201Created });
    }

    private async Task HeadAsync(HttpContext context)
    {
        bool exists = Digest(context) is { } digest && await blobs.FindAsync(digest, context.RequestAborted) is not null;
        context.Response.StatusCode = exists ? StatusCodes.Status200OK : StatusCodes.Status404NotFound;
        // Otherwise the bare 404 would be taken for one of a path that does not exist; a HEAD's answer has no body to say more.
        context.Response.ContentLength = 0;
    }

    private async Task PostAsync(HttpContext context)
    {
        if (Digest(context) is not { } digest)
        {
            await ErrorAnswer.WriteAsync(context, ApiError.BadRequest("the path must end in a digest: sha256: and 64 lower-case hex digits"));
            return;
        }
        if (context.Request.ContentLength > options.Value.MaxBlobBytes)
        {
            await ErrorAnswer.WriteAsync(context, TooLarge());
            return;
        }
        if (await blobs.FindAsync(digest, context.RequestAborted) is not null)
            return;
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = options.Value.MaxBlobBytes;
        try
        {
            string? actual = await blobs.UploadAsync(digest, context.Request.BodyReader, context.RequestAborted);
            if (actual is null)
                context.Response.StatusCode = StatusCodes.Status201Created;
            else
                await ErrorAnswer.WriteAsync(context, ApiError.BadRequest($"digest mismatch, expected \"{digest}\", got \"{actual}\""));
        }
        catch (BadHttpRequestException e) when (e.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            // Sent without saying how much it is.
            await ErrorAnswer.WriteAsync(context, TooLarge());
        }
    }

    private ApiError TooLarge() => new(
        StatusCodes.Status413PayloadTooLarge, $"this edge takes blobs of at most {options.Value.MaxBlobBytes} bytes; larger ones go to storage directly: POST /models/uploads says where");

    private static string? Digest(HttpContext context) =>
        context.Request.RouteValues["digest"] is string digest && ModelDigest.IsValid(digest.Replace('-', ':')) ? digest.Replace('-', ':') : null;
}
