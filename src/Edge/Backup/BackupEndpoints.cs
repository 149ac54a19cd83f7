using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using OllamaMax.Cluster;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.OpenApi;
using OllamaMax.Security;

namespace OllamaMax.Edge.Backup;

/// <summary><c>GET /cluster/backup</c> and <c>POST /cluster/restore?overwrite</c>.</summary>
internal sealed class BackupEndpoints(BackupSource source, BackupWriter writer, BackupReader reader, BackupRestorer restorer, RequestBodyReader bodies) : IEndpointGroup
{
    public void Map(IEndpointRouteBuilder endpoints)
    {
        // Hashes of all keys go out, and keys of every role come in: who may do that may do everything.
        RequiredPermission everything = new(Permissions.ManageKeys | Permissions.ManageCluster | Permissions.ManageModels);
        endpoints.MapGet("/cluster/backup", BackupAsync).WithMetadata(everything with { IsAct = true })
            .Describe(Said("The cluster's documents, keys' hashes, enrolments, names of models and usage, as JSON lines. No weights and no secrets.") with
            {
                Query = [("usage", "false: without what was used.")],
                ContentType = BackupFormat.ContentType,
            });
        endpoints.MapPost("/cluster/restore", RestoreAsync).WithMetadata(everything)
            .Describe(Said("Puts a backup back; into a cluster in use only where it may overwrite. Says which weights are missing.") with
            {
                Query = [("overwrite", "true: what the backup names is afterwards as the backup says, whatever is there.")],
                AnswerType = BackupJson.Default.RestoreAnswer,
            });
    }

    private static EndpointDescription Said(string summary) => new(EndpointDescription.Own, summary);

    private async Task BackupAsync(HttpContext context)
    {
        QueryFields fields = new(context);
        bool withUsage = fields.Flag("usage", absent: true);
        if (fields.Error is { } error)
        {
            await ErrorAnswer.WriteAsync(context, error);
            return;
        }
        BackupContent content;
        try
        {
            content = await source.GatherAsync(withUsage, context.RequestAborted);
        }
        catch (DocumentException e)
        {
            await ErrorAnswer.WriteAsync(context, new ApiError(StatusCodes.Status503ServiceUnavailable, e.Message));
            return;
        }
        ReadOnlyMemory<byte> file = writer.Write(content);
        if (file.Length > BackupFormat.MostBytes)
        {
            string without = withUsage ? "; without usage it is smaller: ?usage=false, ollamamax backup --without-usage" : "";
            await ErrorAnswer.WriteAsync(context, new ApiError(StatusCodes.Status500InternalServerError, $"the backup would have {file.Length} bytes, and a restore reads {BackupFormat.MostBytes} at the most{without}"));
            return;
        }
        context.Response.ContentType = BackupFormat.ContentType;
        context.Response.ContentLength = file.Length;
        context.Response.Headers.CacheControl = "no-store";
        string at = content.Header.CreatedAt.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture);
        context.Response.Headers.ContentDisposition = $"attachment; filename=\"{BackupFormat.Name}-{at}.jsonl\"";
        await context.Response.Body.WriteAsync(file, context.RequestAborted);
    }

    private async Task RestoreAsync(HttpContext context)
    {
        QueryFields fields = new(context);
        bool overwrites = fields.Flag("overwrite");
        ApiError? error = fields.Error;
        if (error is not null || (await ReadAsync(context)).Failed(out error, out BackupContent? backup))
        {
            await ErrorAnswer.WriteAsync(context, error);
            return;
        }
        RequestInfo info = RequestInfo.Of(context);
        info.Subject = $"backup of {backup.Header.CreatedAt:O}";
        try
        {
            // A client that leaves does not leave half of it there.
            if ((await restorer.RestoreAsync(backup, overwrites, info.Principal?.Credential, CancellationToken.None)).Failed(out error, out RestoreAnswer? answer))
                await ErrorAnswer.WriteAsync(context, error);
            else
                await JsonAnswer.WriteAsync(context, answer, BackupJson.Default.RestoreAnswer);
        }
        catch (DocumentException e)
        {
            await ErrorAnswer.WriteAsync(context, new ApiError(StatusCodes.Status503ServiceUnavailable, e.Message));
        }
    }

    private async Task<Result<BackupContent>> ReadAsync(HttpContext context)
    {
        if ((await bodies.ReadAsync(context, BackupFormat.MostBytes)).Failed(out ApiError? error, out RequestBody? body))
            return error;
        using (body)
            return reader.Read(body.Bytes);
    }
}
