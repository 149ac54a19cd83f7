using System.Collections.Concurrent;
using System.Text.Json;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Microsoft.Extensions.Logging;
using OllamaMax.Models;
using OllamaMax.Streaming;
using OllamaMax.Workers;

namespace OllamaMax.Storage.Workers;

/// <summary>
/// The content of heartbeat blobs. Kept by its digest, which the report names, so that one that has not changed, or is the same on two boxes, is read once.
/// </summary>
internal sealed partial class HeartbeatContents(ILogger logger)
{
    /// <summary>What a worker writes is its own affair; what an edge reads is not.</summary>
    private const long LongestContent = 1 << 20;

    private static readonly HeartbeatContent Empty = new([]);

    private readonly ConcurrentDictionary<string, HeartbeatContent> _known = [];

    /// <param name="blob">The worker's heartbeat.</param>
    /// <param name="digest">Of its content, as the report has it.</param>
    public async Task<HeartbeatContent> ReadAsync(BlobClient blob, string digest, CancellationToken cancellationToken)
    {
        if (_known.TryGetValue(digest, out HeartbeatContent? known))
            return known;
        try
        {
            using BlobDownloadStreamingResult answer = await blob.DownloadStreamingAsync(cancellationToken: cancellationToken);
            if (answer.Details.ContentLength > LongestContent)
            {
                LogUnreadable(null, blob.Name);
                return Empty;
            }
            byte[] bytes = (await BinaryData.FromStreamAsync(answer.Content, cancellationToken)).ToArray();
            HeartbeatContent content = Parse(bytes);
            // It may have been written anew since it was listed: then it is good for this time.
            if (ModelDigest.Of(bytes) == digest)
                _known[digest] = content;
            return content;
        }
        catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.BlobNotFound)
        {
            return Empty;
        }
        catch (JsonException e)
        {
            LogUnreadable(e, blob.Name);
            return Empty;
        }
    }

    /// <summary>Forgets what no report names any more.</summary>
    public void Keep(IReadOnlySet<string> digests)
    {
        foreach (string gone in _known.Keys.Where(digest => !digests.Contains(digest)).ToList())
            _known.TryRemove(gone, out _);
    }

    /// <summary>What has no name that a client could write, or is no model's digest, is left out.</summary>
    private static HeartbeatContent Parse(byte[] bytes)
    {
        HeartbeatContent? content = JsonSerializer.Deserialize(bytes, ProtocolJson.Default.HeartbeatContent);
        return new([.. (content?.Models ?? []).Where(model => ModelName.TryParse(model?.Name, out _, out _))])
        {
            Transfers = content?.Transfers?.Where(transfer => transfer is not null && ModelDigest.IsValid(transfer.Digest)).DistinctBy(transfer => transfer.Digest).ToArray(),
            Copies = content?.Copies?.Where(copy => copy is not null && ModelDigest.IsValid(copy.Digest)).DistinctBy(copy => copy.Digest).ToArray(),
        };
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The content of heartbeat {Blob} cannot be read: what models its worker forwards to, and which of many copies it has or fetches, is not known")]
    private partial void LogUnreadable(Exception? exception, string blob);
}
