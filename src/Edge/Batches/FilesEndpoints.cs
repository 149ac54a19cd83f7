using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;
using Microsoft.AspNetCore.WebUtilities;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.OpenApi;
using OllamaMax.Edge.Tenants;
using OllamaMax.Jobs;
using OllamaMax.Security;
using OllamaMax.Storage.Jobs;

namespace OllamaMax.Edge.Batches;

/// <summary><c>/v1/files</c> (https://platform.openai.com/docs/api-reference/files), as far as batches need it: a tenant sees its own.</summary>
internal sealed class FilesEndpoints(FileStore files, TenantRetention retention, RequestBodyReader bodies, TimeProvider time) : IEndpointGroup
{
    private const int LongestName = 255;

    public void Map(IEndpointRouteBuilder endpoints)
    {
        RequiredPermission infer = new(Permissions.Infer);
        endpoints.MapPost("/v1/files", UploadAsync).WithMetadata(infer)
            .Describe(Said("Uploads a file for a batch: multipart/form-data with purpose batch and file.") with { AnswerType = BatchesJson.Default.FileAnswer });
        endpoints.MapGet("/v1/files", ListAsync).WithMetadata(infer)
            .Describe(Said("The tenant's files, the newest first.") with { Query = [("purpose", "Only of this purpose.")], AnswerType = BatchesJson.Default.FilesAnswer });
        endpoints.MapGet("/v1/files/{id}", ShowAsync).WithMetadata(infer)
            .Describe(Said("A file.") with { AnswerType = BatchesJson.Default.FileAnswer });
        endpoints.MapGet("/v1/files/{id}/content", ReadAsync).WithMetadata(infer)
            .Describe(Said("A file's content.") with { ContentType = "application/jsonl" });
        endpoints.MapDelete("/v1/files/{id}", DeleteAsync).WithMetadata(infer)
            .Describe(Said("Deletes a file.") with { AnswerType = BatchesJson.Default.FileDeletedAnswer });
    }

    private static EndpointDescription Said(string summary) => new(EndpointDescription.OpenAI, summary);

    private async Task UploadAsync(HttpContext context)
    {
        if ((await ReadFormAsync(context)).Failed(out ApiError? error, out StoredFile? file))
            await ErrorAnswer.WriteAsync(context, error);
        else
            await JsonAnswer.WriteAsync(context, FileAnswer.Of(file), BatchesJson.Relaxed.FileAnswer);
    }

    /// <summary>Section by section, so that a file is never in memory whole; <c>purpose</c> may come before or after it.</summary>
    private async Task<Result<StoredFile>> ReadFormAsync(HttpContext context)
    {
        if (retention.StoresNothing(RequestInfo.CallerOf(context).Tenant))
            return ApiError.BadRequest("this server stores nothing of yours, and so no files (Retention)");
        if (!MediaTypeHeaderValue.TryParse(context.Request.ContentType, out MediaTypeHeaderValue? type)
            || type.MediaType != "multipart/form-data" || HeaderUtilities.RemoveQuotes(type.Boundary).Value is not { Length: > 0 and <= 200 } boundary)
            return ApiError.BadRequest("the body must be multipart/form-data with purpose and file");
        if (await bodies.AdmitAsync(context) is { } refused)
            return refused;
        StoredFile? stored = null;
        string? purpose = null;
        try
        {
            MultipartReader reader = new(boundary, context.Request.Body);
            while (await reader.ReadNextSectionAsync(context.RequestAborted) is { } section)
            {
                if (section.GetContentDispositionHeader() is not { } disposition)
                    continue;
                string name = HeaderUtilities.RemoveQuotes(disposition.Name).Value ?? "";
                if (name == "purpose")
                    purpose = await section.ReadAsStringAsync(context.RequestAborted);
                else if (name == "file" && stored is null)
                    stored = await StoreAsync(context, section, HeaderUtilities.RemoveQuotes(disposition.FileNameStar.Length > 0 ? disposition.FileNameStar : disposition.FileName).Value);
            }
        }
        catch (InvalidDataException e)
        {
            return ApiError.BadRequest($"the body is no multipart/form-data that can be read: {e.Message}");
        }
        if (stored is not null && purpose == "batch")
            return stored;
        if (stored is not null)
            await files.DeleteAsync(stored.Id, CancellationToken.None);
        return stored is null ? ApiError.BadRequest("file is required") with { Field = "file" } : ApiError.BadRequest("purpose must be batch") with { Field = "purpose" };
    }

    private async Task<StoredFile> StoreAsync(HttpContext context, MultipartSection section, string? name)
    {
        string kept = string.IsNullOrEmpty(name) ? "file" : name.Length > LongestName ? name[..LongestName] : name;
        StoredFile file = new(JobId.New(time), RequestInfo.CallerOf(context).Tenant, kept, "batch", 0, time.GetUtcNow());
        await files.PutAsync(file, section.Body, context.RequestAborted);
        return await files.FindAsync(file.Id, file.Tenant, context.RequestAborted) ?? throw new InvalidDataException($"file {file.Id} was written and is not there");
    }

    private async Task ListAsync(HttpContext context)
    {
        IReadOnlyList<StoredFile> all = await files.ListAsync(RequestInfo.CallerOf(context).Tenant, context.RequestAborted);
        string purpose = context.Request.Query["purpose"].ToString();
        FileAnswer[] asked = [.. all.Reverse().Where(file => purpose.Length == 0 || file.Purpose == purpose).Select(FileAnswer.Of)];
        await JsonAnswer.WriteAsync(context, new FilesAnswer(asked, asked.FirstOrDefault()?.Id, asked.LastOrDefault()?.Id, HasMore: false), BatchesJson.Relaxed.FilesAnswer);
    }

    private async Task ShowAsync(HttpContext context)
    {
        if (await FindAsync(context) is { } file)
            await JsonAnswer.WriteAsync(context, FileAnswer.Of(file), BatchesJson.Relaxed.FileAnswer);
    }

    private async Task ReadAsync(HttpContext context)
    {
        if (await FindAsync(context) is not { } file)
            return;
        await using Stream? content = await files.OpenAsync(file, context.RequestAborted);
        if (content is null)
        {
            // Deleted just now.
            await WriteNotFoundAsync(context);
            return;
        }
        context.Response.ContentType = "application/jsonl";
        context.Response.ContentLength = file.Bytes;
        await content.CopyToAsync(context.Response.Body, context.RequestAborted);
    }

    private async Task DeleteAsync(HttpContext context)
    {
        if (await FindAsync(context) is not { } file)
            return;
        await files.DeleteAsync(file.Id, CancellationToken.None);
        await JsonAnswer.WriteAsync(context, new FileDeletedAnswer(FileId.Of(file.Id), Deleted: true), BatchesJson.Relaxed.FileDeletedAnswer);
    }

    /// <summary>The file of the path; null where the answer, a 404, has been written.</summary>
    private async Task<StoredFile?> FindAsync(HttpContext context)
    {
        string id = (string)context.GetRouteValue("id")!;
        if (await files.FindAsync(FileId.Read(id), RequestInfo.CallerOf(context).Tenant, context.RequestAborted) is { } file)
            return file;
        await WriteNotFoundAsync(context);
        return null;
    }

    private static Task WriteNotFoundAsync(HttpContext context) =>
        ErrorAnswer.WriteAsync(context, new(StatusCodes.Status404NotFound, $"No such File object: {context.GetRouteValue("id")}") { Field = "id" });
}
