using System.Text.Json;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Microsoft.Extensions.Logging;
using OllamaMax.Cluster;
using OllamaMax.Streaming;
using OllamaMax.Workers;

namespace OllamaMax.Storage.Workers;

/// <summary>
/// Heartbeat blobs <c>cluster/workers/{id}</c>: the report in the metadata, so that one List call tells of all workers. The content is empty, but for
/// workers that forward to servers or have many copies (<see cref="HeartbeatDocument"/>): it is read when it has changed.
/// A report's age is the answer's Date less the blob's Last-Modified: one clock, storage's.
/// </summary>
public sealed partial class Heartbeats(StorageAccount account, ILogger<Heartbeats> logger)
{
    public const string Prefix = "workers/";

    /// <summary>Name of the metadata entry that holds the report as JSON, in ASCII.</summary>
    public const string ReportKey = "report";

    private readonly HeartbeatContents _contents = new(logger);

    public async Task<IReadOnlyList<WorkerView>> ListAsync(CancellationToken cancellationToken)
    {
        var views = new List<WorkerView>();
        var container = account.Blobs.GetBlobContainerClient(Containers.Cluster);
        AsyncPageable<BlobItem> blobs = container.GetBlobsAsync(
            new GetBlobsOptions { Traits = BlobTraits.Metadata, Prefix = Prefix }, cancellationToken);
        await foreach (Page<BlobItem> page in blobs.AsPages())
        {
            using Response response = page.GetRawResponse();
            DateTimeOffset now = response.Headers.Date ?? throw new InvalidDataException("storage answered without a Date");
            views.AddRange(page.Values.Select(blob => Read(blob, now)).OfType<WorkerView>());
        }
        _contents.Keep(views.Select(view => view.Report.Content).OfType<string>().ToHashSet());
        return ReportBounds.FlagNames(await Task.WhenAll(views.Select(view => WithContentAsync(container, view, cancellationToken))));
    }

    private async Task<WorkerView> WithContentAsync(BlobContainerClient container, WorkerView view, CancellationToken cancellationToken)
    {
        if (view.Report.Content is not { } digest)
            return view;
        HeartbeatContent content = await _contents.ReadAsync(container.GetBlobClient(Prefix + view.Report.Id), digest, cancellationToken);
        // Who is gone forwards to nobody, and has its copies when it comes back.
        return WithRest(view with { Forwarded = view.State == WorkerState.Gone ? [] : content.Models }, content);
    }

    /// <summary>The report is the newer of the two where both have a model or a transfer.</summary>
    private static WorkerView WithRest(WorkerView view, HeartbeatContent content)
    {
        if (content is { Copies: null, Transfers: null })
            return view;
        HashSet<string> reported = [.. view.Report.Models.Select(model => model.Digest)];
        HashSet<string> onTheirWay = [.. (view.Report.Transfers ?? []).Select(transfer => transfer.Digest)];
        var (report, flags) = ReportBounds.Check(view.Report with
        {
            Models = [.. view.Report.Models, .. (content.Copies ?? []).Where(copy => !reported.Contains(copy.Digest))],
            Transfers = content.Transfers is null ? view.Report.Transfers : [.. view.Report.Transfers ?? [], .. content.Transfers.Where(transfer => !onTheirWay.Contains(transfer.Digest))],
        });
        return view with { Report = report, Flags = [.. view.Flags.Union(flags)] };
    }

    private WorkerView? Read(BlobItem blob, DateTimeOffset now)
    {
        try
        {
            if (!blob.Metadata.TryGetValue(ReportKey, out string? json)
                || JsonSerializer.Deserialize(json, ProtocolJson.Default.WorkerReport) is not { } report)
            {
                LogUnreadable(blob.Name, "no report");
                return null;
            }
            // A worker can write its own blob only; one that gives another's id there would speak for that one.
            if (blob.Name != Prefix + report.Id)
            {
                LogUnreadable(blob.Name, $"reports for {report.Id}");
                return null;
            }
            DateTimeOffset writtenAt = blob.Properties.LastModified ?? now;
            var (bounded, flags) = ReportBounds.Check(report);
            return new WorkerView(bounded, now > writtenAt ? now - writtenAt : TimeSpan.Zero) { HeartbeatAt = writtenAt, Flags = flags };
        }
        catch (JsonException e)
        {
            LogUnreadable(blob.Name, e.Message);
            return null;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Heartbeat {Blob} is ignored: {Reason}")]
    private partial void LogUnreadable(string blob, string reason);
}
