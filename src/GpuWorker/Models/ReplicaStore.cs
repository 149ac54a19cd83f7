using System.Security.Cryptography;
using Azure;
using Azure.Storage.Blobs;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OllamaMax.GpuWorker.Enrolment;

namespace OllamaMax.GpuWorker.Models;

/// <summary>Verified copies of model weights on this box's disk. A file under its final name has been checked against its digest.</summary>
internal sealed partial class ReplicaStore(Capabilities capabilities, IOptions<WorkerOptions> options, ILogger<ReplicaStore> logger)
{
    private readonly string _folder = options.Value.ReplicaFolder;

    /// <summary>Digests of all copies here.</summary>
    public IReadOnlyList<string> List() => Directory.Exists(_folder)
        ? [.. Directory.EnumerateFiles(_folder, "sha256-*").Where(file => Path.GetExtension(file).Length == 0).Select(file => Path.GetFileName(file).Replace('-', ':'))]
        : [];

    /// <summary>Where the copy lies, or would lie.</summary>
    public string PathOf(string digest) => Path.Combine(_folder, BlobName(digest));

    /// <summary>Path of the copy, fetched first where it is missing.</summary>
    /// <exception cref="ReplicaException">It cannot be had.</exception>
    public async Task<string> EnsureAsync(string digest, CancellationToken cancellationToken)
    {
        string path = PathOf(digest);
        if (File.Exists(path))
            return path;
        Directory.CreateDirectory(_folder);
        // Workers of one box may share the folder: each fetches to a name of its own, and the first to finish wins.
        string partial = $"{path}.{Guid.NewGuid():n}.partial";
        try
        {
            await FetchAsync(digest, partial, cancellationToken);
            File.Move(partial, path, overwrite: true);
        }
        catch (RequestFailedException e)
        {
            throw new ReplicaException(e.Status == 404 ? $"the cluster has no model {digest}" : $"model {digest} cannot be fetched: {e.ErrorCode}", e);
        }
        catch (IOException e)
        {
            throw new ReplicaException($"model {digest} cannot be stored: {e.Message}", e);
        }
        finally
        {
            File.Delete(partial);
        }
        LogFetched(digest);
        return path;
    }

    private static string BlobName(string digest) => digest.Replace(':', '-');

    private async Task FetchAsync(string digest, string path, CancellationToken cancellationToken)
    {
        BlobClient blob = new BlobContainerClient(new Uri(capabilities.Current.ModelsUrl)).GetBlobClient($"blobs/{BlobName(digest)}");
        await using (FileStream file = File.Create(path))
            await blob.DownloadToAsync(file, cancellationToken);
        await using FileStream written = File.OpenRead(path);
        string actual = "sha256:" + Convert.ToHexStringLower(await SHA256.HashDataAsync(written, cancellationToken));
        if (actual != digest)
            throw new ReplicaException($"what was fetched as {digest} has the digest {actual}; it was thrown away");
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Fetched {Digest}")]
    private partial void LogFetched(string digest);
}
