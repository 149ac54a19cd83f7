using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using OllamaMax.Cluster;
using OllamaMax.Jobs;
using OllamaMax.Models;
using OllamaMax.Storage.Jobs;
using OllamaMax.Storage.Models;
using OllamaMax.Storage.Queues;
using OllamaMax.Storage.Workers;

namespace OllamaMax.Storage.Cluster;

/// <summary>
/// Finds blobs that nobody may need any more, and deletes those that are still what was found: downloads that nobody goes on with, uploads that nobody completes,
/// content that no manifest names, in storage and on workers' disks, outputs of jobs without a record, payloads of jobs whose edge died, heartbeats of workers that are no members any more, and join tokens that
/// nobody used. Then the empty queues of models whose content is gone. Copies on disks are for the leader to have deleted, not here.
/// </summary>
public sealed class OrphanBlobs(StorageAccount account, JobQueues queues)
{
    /// <summary>Before a queue's name, where the others have their container's.</summary>
    private const string Queues = "queues";

    /// <summary>One page of each for a look. Jobs' names sort by time, so what lies behind comes to the front as the older ones go.</summary>
    private const int MostOfAKind = 1000;

    /// <param name="waits">How long each kind is left alone after it was seen.</param>
    /// <param name="inUse">Digests of weights, and of models forwarded to, that somebody has to do with, whatever manifests say.</param>
    /// <param name="copied">Digests of weights that workers have copies of, whether they are there at the moment or not.</param>
    /// <param name="cancellationToken">Ends the listings.</param>
    /// <returns>What was found, and storage's time at the first listing.</returns>
    /// <exception cref="RequestFailedException">Storage refused or cannot be reached.</exception>
    public async Task<(IReadOnlyList<OrphanCandidate> Candidates, DateTimeOffset Now)> FindAsync(
        OrphanWaits waits, IReadOnlySet<string> inUse, IReadOnlySet<string> copied, CancellationToken cancellationToken)
    {
        var (partials, now) = await ListAsync(Containers.Models, ModelPaths.Partials, cancellationToken);
        var (uploads, _) = await ListAsync(Containers.Models, ModelPaths.Uploads, cancellationToken);
        var (outputs, _) = await ListAsync(Containers.Jobs, JobRecordStore.Outputs, cancellationToken);
        var (payloads, _) = await ListAsync(Containers.Jobs, Payloads.PayloadStore.Prefix, cancellationToken);
        var (joinTokens, _) = await ListAsync(Containers.Cluster, WorkerEnrolments.JoinTokens, cancellationToken);
        List<BlobItem> heartbeats = await ListAllAsync(Containers.Cluster, Heartbeats.Prefix, cancellationToken);
        // Records last: a job that is submitted meanwhile has its record before its output.
        HashSet<string> records = await RecordsAsync(outputs, cancellationToken);
        List<OrphanCandidate> candidates =
        [
            // Who downloads holds a lease.
            .. Candidates(Containers.Models, partials.Where(blob => blob.Properties.LeaseState != LeaseState.Leased), waits.Download),
            .. Candidates(Containers.Models, uploads, waits.Upload),
            .. await UnnamedAsync(inUse, copied, waits.Content, cancellationToken),
            .. Candidates(Containers.Jobs, outputs.Where(blob => !records.Contains(blob.Name[JobRecordStore.Outputs.Length..])), waits.Output),
            .. Candidates(Containers.Jobs, payloads, waits.Payload),
            // Readable or not. Its silence was the wait.
            .. Candidates(Containers.Cluster, heartbeats.Where(blob => now - blob.Properties.LastModified >= waits.Heartbeat), TimeSpan.Zero),
            .. Candidates(Containers.Cluster, joinTokens, waits.JoinToken),
        ];
        return (candidates, now);
    }

    /// <summary>Deletes it if it is still what was found. False: it is not, or is gone.</summary>
    /// <exception cref="RequestFailedException">Storage refused or cannot be reached.</exception>
    public async Task<bool> DeleteAsync(OrphanCandidate orphan, CancellationToken cancellationToken)
    {
        string[] path = orphan.Name.Split('/', 2);
        if (path[0] == Queues)
            return await queues.DeleteEmptyAsync(path[1], cancellationToken);
        try
        {
            await account.Blobs.GetBlobContainerClient(path[0]).GetBlobClient(path[1]).DeleteAsync(
                DeleteSnapshotsOption.None, new BlobRequestConditions { IfMatch = new ETag(orphan.Tag) }, cancellationToken);
            return true;
        }
        catch (RequestFailedException e) when (e.Status is 404 or 412)
        {
            // 412: changed, or leased by somebody who goes on with it.
            return false;
        }
    }

    /// <summary>
    /// Content that no manifest names, and lists of the chunks of content that is gone. Whoever is about to name content changes its tag first (<see cref="ManifestWriter"/>), so that
    /// it is not what was found any more. Manifests are read last, as they are written last. A queue has no tag: so it waits until its model's content is gone, which
    /// takes its time to come again, and from then on as long. An empty catalogue is more likely a mistake, as in an account that is being restored, than the wish to have every disk
    /// emptied: then no copy is found.
    /// </summary>
    private async Task<IReadOnlyList<OrphanCandidate>> UnnamedAsync(
        IReadOnlySet<string> inUse, IReadOnlySet<string> copied, TimeSpan wait, CancellationToken cancellationToken)
    {
        IReadOnlyDictionary<string, int> messages = await queues.CountAsync(cancellationToken);
        List<BlobItem> lists = await ListAllAsync(Containers.Models, ModelPaths.ChunkLists, cancellationToken);
        List<BlobItem> blobs = await ListAllAsync(Containers.Models, ModelPaths.Blobs, cancellationToken);
        HashSet<string> there = [.. blobs.Select(blob => blob.Name[ModelPaths.Blobs.Length..])];
        if (await NamedAsync(cancellationToken) is not { } needed)
            return [];
        bool isCatalogueEmpty = needed.Count == 0;
        needed.UnionWith(inUse.Select(ModelPaths.Blob));
        HashSet<string> known = [.. needed.Concat(blobs.Select(blob => blob.Name)).SelectMany(QueuesOf)];
        return
        [
            .. Candidates(Containers.Models, blobs.Where(blob => !needed.Contains(blob.Name)), wait),
            .. Candidates(Containers.Models, lists.Where(list => !there.Contains(list.Name[ModelPaths.ChunkLists.Length..])), wait),
            .. messages.Where(queue => queue.Value == 0 && !known.Contains(queue.Key)).Select(queue => new OrphanCandidate($"{Queues}/{queue.Key}", "", wait)),
            .. copied.Where(digest => !isCatalogueEmpty && !needed.Contains(ModelPaths.Blob(digest))).Select(digest => OrphanCandidate.Copy(digest, wait)),
        ];
    }

    /// <summary>Names of the queues of jobs for weights that lie there.</summary>
    private static IEnumerable<string> QueuesOf(string blob)
    {
        string digest = blob[ModelPaths.Blobs.Length..].Replace('-', ':');
        return ModelDigest.IsValid(digest) ? Enum.GetValues<Band>().Select(band => JobQueueName.For(digest, band)) : [];
    }

    /// <summary>Names of the blobs that manifests name. Null: one of them cannot be read, and might name any.</summary>
    private async Task<HashSet<string>?> NamedAsync(CancellationToken cancellationToken)
    {
        HashSet<string> named = [];
        BlobContainerClient container = account.Blobs.GetBlobContainerClient(Containers.Models);
        foreach (BlobItem item in await ListAllAsync(Containers.Models, ModelPaths.Manifests, cancellationToken))
        {
            try
            {
                BlobDownloadResult content = await container.GetBlobClient(item.Name).DownloadContentAsync(cancellationToken);
                ModelManifest manifest = ModelManifest.Parse(content.Content.ToMemory().Span);
                named.UnionWith(manifest.Layers.Append(manifest.Config).Select(layer => ModelPaths.Blob(layer.Digest)));
            }
            catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.BlobNotFound)
            {
                // Deleted since it was listed: it names nothing any more.
            }
            catch (FormatException)
            {
                return null; // The catalogue says so in the log, again and again.
            }
        }
        return named;
    }

    private async Task<List<BlobItem>> ListAllAsync(string container, string prefix, CancellationToken cancellationToken)
    {
        List<BlobItem> all = [];
        await foreach (BlobItem blob in account.Blobs.GetBlobContainerClient(container).GetBlobsAsync(new GetBlobsOptions { Prefix = prefix }, cancellationToken))
            all.Add(blob);
        return all;
    }

    private static IEnumerable<OrphanCandidate> Candidates(string container, IEnumerable<BlobItem> blobs, TimeSpan wait) =>
        blobs.Where(blob => blob.Properties.ETag is not null).Select(blob => new OrphanCandidate($"{container}/{blob.Name}", blob.Properties.ETag!.Value.ToString("H"), wait));

    private async Task<HashSet<string>> RecordsAsync(IReadOnlyList<BlobItem> outputs, CancellationToken cancellationToken)
    {
        HashSet<string> records = [];
        if (outputs.Count == 0)
            return records;
        var options = new GetBlobsOptions { Prefix = JobRecordStore.Records };
        await foreach (BlobItem record in account.Blobs.GetBlobContainerClient(Containers.Jobs).GetBlobsAsync(options, cancellationToken))
            records.Add(record.Name[JobRecordStore.Records.Length..]);
        return records;
    }

    private async Task<(IReadOnlyList<BlobItem> Blobs, DateTimeOffset Now)> ListAsync(string container, string prefix, CancellationToken cancellationToken)
    {
        AsyncPageable<BlobItem> blobs = account.Blobs.GetBlobContainerClient(container).GetBlobsAsync(new GetBlobsOptions { Prefix = prefix }, cancellationToken);
        await foreach (Page<BlobItem> page in blobs.AsPages(pageSizeHint: MostOfAKind))
        {
            using Response response = page.GetRawResponse();
            return (page.Values, response.Headers.Date ?? throw new InvalidDataException("storage answered without a Date"));
        }
        throw new InvalidDataException("storage answered a listing without a page");
    }
}

/// <summary>How long a blob is left alone from when it was first found without an owner.</summary>
/// <param name="Download">Of a model that nobody goes on with.</param>
/// <param name="Upload">That nobody completes.</param>
/// <param name="Output">Of a job that has no record.</param>
/// <param name="Payload">Of an interactive job: longer than any of them takes.</param>
/// <param name="Content">That no manifest names: longer than a job waits that asked for what a name stood for before.</param>
/// <param name="Heartbeat">Of a worker: since its last report.</param>
/// <param name="JoinToken">Longer than any is good for.</param>
public sealed record OrphanWaits(TimeSpan Download, TimeSpan Upload, TimeSpan Output, TimeSpan Payload, TimeSpan Content, TimeSpan Heartbeat, TimeSpan JoinToken);
