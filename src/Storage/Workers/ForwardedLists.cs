using System.Collections.Concurrent;
using System.Text.Json;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Microsoft.Extensions.Logging;
using OllamaMax.Models;
using OllamaMax.Streaming;

namespace OllamaMax.Storage.Workers;

/// <summary>
/// The content of heartbeat blobs: models that workers forward to. Kept by its digest, which the report names, so that a list that has not changed, or is
/// the same on two boxes, is read once.
/// </summary>
internal sealed partial class ForwardedLists(ILogger logger)
{
    /// <summary>What a worker writes is its own affair; what an edge reads is not.</summary>
    private const long LongestContent = 1 << 20;

    private readonly ConcurrentDictionary<string, IReadOnlyList<ForwardedModel>> _known = [];

    /// <param name="blob">The worker's heartbeat.</param>
    /// <param name="digest">Of its content, as the report has it.</param>
    public async Task<IReadOnlyList<ForwardedModel>> ReadAsync(BlobClient blob, string digest, CancellationToken cancellationToken)
    {
        if (_known.TryGetValue(digest, out IReadOnlyList<ForwardedModel>? known))
            return known;
        try
        {
            BlobProperties properties = await blob.GetPropertiesAsync(cancellationToken: cancellationToken);
            if (properties.ContentLength > LongestContent)
            {
                LogUnreadable(null, blob.Name);
                return [];
            }
            byte[] content = (await blob.DownloadContentAsync(cancellationToken)).Value.Content.ToArray();
            IReadOnlyList<ForwardedModel> models = Parse(content);
            // It may have been written anew since it was listed: then it is good for this time.
            if (ModelDigest.Of(content) == digest)
                _known[digest] = models;
            return models;
        }
        catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.BlobNotFound)
        {
            return [];
        }
        catch (JsonException e)
        {
            LogUnreadable(e, blob.Name);
            return [];
        }
    }

    /// <summary>Forgets what no report names any more.</summary>
    public void Keep(IReadOnlySet<string> digests)
    {
        foreach (string gone in _known.Keys.Where(digest => !digests.Contains(digest)).ToList())
            _known.TryRemove(gone, out _);
    }

    /// <summary>What has no name that a client could write is left out.</summary>
    private static IReadOnlyList<ForwardedModel> Parse(byte[] content) =>
        [.. (JsonSerializer.Deserialize(content, ProtocolJson.Default.ForwardedModels)?.Models ?? []).Where(model => ModelName.TryParse(model?.Name, out _, out _))];

    [LoggerMessage(Level = LogLevel.Warning, Message = "The models that heartbeat {Blob} says are forwarded to cannot be read; ignored")]
    private partial void LogUnreadable(Exception? exception, string blob);
}
