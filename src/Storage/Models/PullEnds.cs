using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;

namespace OllamaMax.Storage.Models;

/// <summary>
/// What came first of a pull that edges take turns at: that somebody cancelled it, or that its model is written. Whoever writes the blob of its run first decides, so that a pull of which somebody was
/// told that it is cancelled makes no model, wherever it is under way.
/// </summary>
public sealed class PullEnds
{
    private const string Cancelled = "cancelled";
    private const string Written = "written";

    private readonly BlobContainerClient _container;

    public PullEnds(BlobServiceClient blobs)
        : this(blobs.GetBlobContainerClient(Containers.Models))
    {
    }

    /// <summary>In a container of one's own: tests share a storage account.</summary>
    internal PullEnds(BlobContainerClient container) => _container = container;

    /// <summary>False: its model is being written, or is there.</summary>
    /// <param name="run">Of the pull: a name that no other one has.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="CatalogException">Storage is to blame.</exception>
    public Task<bool> TryCancelAsync(string run, CancellationToken cancellationToken) => TryAsync(run, Cancelled, cancellationToken);

    /// <summary>False: it was cancelled. Who was told true may ask again, also on another edge.</summary>
    /// <inheritdoc cref="TryCancelAsync"/>
    public Task<bool> TryWriteAsync(string run, CancellationToken cancellationToken) => TryAsync(run, Written, cancellationToken);

    /// <inheritdoc cref="TryCancelAsync"/>
    /// <summary>Whether somebody cancelled it.</summary>
    public async Task<bool> IsCancelledAsync(string run, CancellationToken cancellationToken) => await ReadAsync(run, cancellationToken) == Cancelled;

    private async Task<bool> TryAsync(string run, string end, CancellationToken cancellationToken)
    {
        try
        {
            BlobUploadOptions onlyNew = new() { Conditions = new() { IfNoneMatch = ETag.All } };
            await Blob(run).UploadAsync(BinaryData.FromString(end), onlyNew, cancellationToken);
            return true;
        }
        catch (RequestFailedException e) when (e.Status is 409 or 412)
        {
            // It may be our own word, whose answer was lost.
            return await ReadAsync(run, cancellationToken) == end;
        }
        catch (Exception e) when (e is RequestFailedException or AggregateException)
        {
            throw Failure(e);
        }
    }

    private async Task<string?> ReadAsync(string run, CancellationToken cancellationToken)
    {
        try
        {
            return (await Blob(run).DownloadContentAsync(cancellationToken)).Value.Content.ToString();
        }
        catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.BlobNotFound)
        {
            return null;
        }
        catch (Exception e) when (e is RequestFailedException or AggregateException)
        {
            throw Failure(e);
        }
    }

    private static CatalogException Failure(Exception e) => new("whether a pull was cancelled cannot be found out", e);

    /// <summary>Beside what is staged: collected as that is.</summary>
    private BlobClient Blob(string run) => _container.GetBlobClient(ModelPaths.Partial($"end-{run}"));
}
