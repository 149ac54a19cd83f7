using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using OllamaMax.Edge.Batches;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Jobs;
using OllamaMax.Edge.Jobs.Strategies;
using OllamaMax.Edge.Security.Usage;
using OllamaMax.Security;
using OllamaMax.Storage.Jobs;
using OllamaMax.Storage.Security;
using OllamaMax.Streaming;

namespace OllamaMax.Edge.Tenants;

/// <summary>All that is kept of a tenant, as lines of JSON (<see cref="ExportLine"/>), one thing after the other: nothing is in memory whole.</summary>
internal sealed class TenantExport(
    JobRecordStore store,
    JobRecords records,
    JobResult results,
    ResponseStore responses,
    StrategyStore strategies,
    StrategyJobs strategyJobs,
    BatchStore batches,
    BatchJobs batchJobs,
    FileStore files,
    UsageBook book,
    UsageStore usage,
    TimeProvider time)
{
    /// <summary>A multiple of three, so that the base64 of all pieces of a file one after the other is that of the file.</summary>
    private const int PieceBytes = 96 * 1024;

    /// <summary>A client that finds no last line of the kind <c>end</c> has not got all.</summary>
    public async Task WriteAsync(HttpContext context, string tenant)
    {
        context.Response.ContentType = "application/x-ndjson";
        PipeWriter output = context.Response.BodyWriter;
        CancellationToken left = context.RequestAborted;
        int lines = 0;
        await foreach (ExportLine line in LinesAsync(context, tenant))
        {
            await WriteAsync(output, line, left);
            lines++;
        }
        await WriteAsync(output, new("end") { Lines = lines }, left);
    }

    private static async Task WriteAsync(PipeWriter output, ExportLine line, CancellationToken cancellationToken)
    {
        using (Utf8JsonWriter json = new(output, Json.Writer))
            JsonSerializer.Serialize(json, line, TenantsJson.Relaxed.ExportLine);
        output.Write("\n"u8);
        await output.FlushAsync(cancellationToken);
    }

    private IAsyncEnumerable<ExportLine> LinesAsync(HttpContext context, string tenant) =>
        JobsAsync(tenant, context.RequestAborted)
            .Concat(ResponsesAsync(tenant, context.RequestAborted))
            .Concat(StrategiesAsync(context, tenant))
            .Concat(BatchesAsync(context, tenant))
            .Concat(FilesAsync(tenant, context.RequestAborted))
            .Concat(UsageAsync(tenant, context.RequestAborted));

    /// <summary>Branches of strategies and lines of batches are jobs, too.</summary>
    private async IAsyncEnumerable<ExportLine> JobsAsync(string tenant, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (RecordItem item in store.ListAsync(cancellationToken))
        {
            if (item.Tenant != tenant || await records.SettleAsync(item.Id, cancellationToken) is not { } record)
                continue;
            yield return new("job")
            {
                Job = JobAnswer.Of(record) with { Result = await results.ReadAsync(record, cancellationToken) },
                Request = record.Readable().Job is { } job ? JsonSerializer.SerializeToElement(job, ProtocolJson.Default.Job) : null,
                Response = record.Response,
            };
        }
    }

    private async IAsyncEnumerable<ExportLine> ResponsesAsync(string tenant, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (string id in responses.ListAsync(tenant, cancellationToken))
        {
            if (await responses.FindAsync(id, time.GetUtcNow(), cancellationToken) is { } response)
                yield return new("response") { Response = response };
        }
    }

    private async IAsyncEnumerable<ExportLine> StrategiesAsync(HttpContext context, string tenant)
    {
        foreach (string id in await strategies.ListAsync(tenant, context.RequestAborted))
        {
            if (await strategyJobs.FindAsync(id, context.RequestAborted) is not { } record)
                continue;
            BinaryData? request = await strategies.GetContentAsync(id, StrategyContent.Name, context.RequestAborted);
            BinaryData? text = await strategies.GetContentAsync(id, StrategyContent.Text, context.RequestAborted);
            yield return new("strategy")
            {
                Job = await strategyJobs.ShowAsync(context, record, withResult: true),
                Request = request is null ? null : JsonElement.Parse(request.ToMemory().Span),
                Text = text?.ToString(),
            };
        }
    }

    private async IAsyncEnumerable<ExportLine> BatchesAsync(HttpContext context, string tenant)
    {
        foreach (string id in await batches.ListAsync(tenant, context.RequestAborted))
        {
            if (await batchJobs.FindAsync(id, tenant, context.RequestAborted) is { } record)
                yield return new("batch") { Batch = await batchJobs.ShowAsync(context, record) };
        }
    }

    private async IAsyncEnumerable<ExportLine> FilesAsync(string tenant, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        byte[] piece = new byte[PieceBytes];
        foreach (StoredFile file in await files.ListAsync(tenant, cancellationToken))
        {
            await using Stream? content = await files.OpenAsync(file, cancellationToken);
            if (content is null)
                continue;
            yield return new("file") { File = FileAnswer.Of(file) };
            while (await content.ReadAtLeastAsync(piece, piece.Length, throwOnEndOfStream: false, cancellationToken) is > 0 and int read)
                yield return new("file_content") { FileId = FileId.Of(file.Id), Content = piece[..read] };
        }
    }

    private async IAsyncEnumerable<ExportLine> UsageAsync(string tenant, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await book.FlushAsync(cancellationToken);
        foreach (DayUsage day in await usage.ListAllAsync(tenant, cancellationToken))
        {
            foreach (var (model, count) in day.Models)
                yield return new("usage") { Usage = UsageItem.Of(day, model, count) };
        }
    }
}
