using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using OllamaMax.GpuWorker.Enrolment;
using OllamaMax.Storage;
using OllamaMax.Storage.Workers;
using OllamaMax.Streaming;
using OllamaMax.Workers;

namespace OllamaMax.GpuWorker.Health;

/// <summary>
/// The blob that this worker's reports are written into. The first one takes it, whoever wrote before; each further one replaces this process's own. One of another process in between says that
/// two work under one identity, as after a box was cloned with its data: both are sent what either is granted, and their answers would mix. Whoever finds the other one's report ends, so of
/// two the one that was started last goes on.
/// </summary>
internal sealed class HeartbeatBlob(Capabilities capabilities, SignedStorage storage)
{
    private ETag? _own;

    /// <inheritdoc cref="WorkerReport.Instance"/>
    public string Instance { get; } = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4));

    /// <param name="document">The report.</param>
    /// <param name="left">Whether it is the last one: who has written none says no goodbye, as it would be taken for another process's.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="IdentityTakenException">Another process has written it, and works.</exception>
    /// <exception cref="RequestFailedException">Storage could not.</exception>
    public async Task WriteAsync(HeartbeatDocument document, bool left, CancellationToken cancellationToken)
    {
        if (left && _own is null)
            return;
        BlobClient blob = storage.Blob(capabilities.Current.HeartbeatUrl);
        try
        {
            _own = await WriteAsync(blob, document, _own, cancellationToken);
        }
        catch (RequestFailedException e) when (_own is not null && e.Status is (int)HttpStatusCode.PreconditionFailed or (int)HttpStatusCode.NotFound)
        {
            if (await FindOtherAsync(blob, cancellationToken) is { } other)
                throw new IdentityTakenException(capabilities.WorkerId, other);
            // A write of this process whose answer was lost; or the other one has left; or it was deleted.
            _own = await WriteAsync(blob, document, null, cancellationToken);
        }
    }

    private static async Task<ETag> WriteAsync(BlobClient blob, HeartbeatDocument document, ETag? replaced, CancellationToken cancellationToken)
    {
        var options = new BlobUploadOptions
        {
            Metadata = new Dictionary<string, string> { [Heartbeats.ReportKey] = document.Report },
            Conditions = replaced is null ? null : new BlobRequestConditions { IfMatch = replaced },
        };
        return (await blob.UploadAsync(new BinaryData(document.Content), options, cancellationToken)).Value.ETag;
    }

    /// <returns>The report that another process has written; null where it has left since, where it is this one's own, and where none is there or it cannot be read, as with an edge that signs for writing alone.</returns>
    private async Task<WorkerReport?> FindOtherAsync(BlobClient blob, CancellationToken cancellationToken)
    {
        try
        {
            BlobProperties properties = await blob.GetPropertiesAsync(cancellationToken: cancellationToken);
            return properties.Metadata.TryGetValue(Heartbeats.ReportKey, out string? text)
                && JsonSerializer.Deserialize(text, ProtocolJson.Default.WorkerReport) is { } report
                && report.Instance != Instance && !report.Left
                    ? report
                    : null;
        }
        catch (Exception e) when (e is RequestFailedException { Status: (int)HttpStatusCode.NotFound or (int)HttpStatusCode.Forbidden } or JsonException)
        {
            return null;
        }
    }
}
