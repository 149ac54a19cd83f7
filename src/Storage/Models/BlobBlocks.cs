using System.Text;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using OllamaMax.Models;

namespace OllamaMax.Storage.Models;

/// <summary>
/// A blob of the catalogue while its blocks come, which are the chunks of its list: nobody sees it before they are committed. Blocks that nobody commits are gone after a week. Exceptions are storage's own.
/// </summary>
internal sealed class BlobBlocks
{
    private readonly BlobContainerClient _container;
    private readonly BlockBlobClient _blob;
    private readonly HashSet<string> _staged;

    private BlobBlocks(BlobContainerClient container, BlockBlobClient blob, HashSet<string> staged) => (_container, _blob, _staged) = (container, blob, staged);

    /// <summary>With what came of it before.</summary>
    public static async Task<BlobBlocks> OpenAsync(BlobContainerClient container, string digest, CancellationToken cancellationToken)
    {
        BlockBlobClient blob = container.GetBlockBlobClient(ModelPaths.Blob(digest));
        try
        {
            BlockList list = await blob.GetBlockListAsync(BlockListTypes.Uncommitted, cancellationToken: cancellationToken);
            return new(container, blob, [.. list.UncommittedBlocks.Select(block => block.Name)]);
        }
        catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.BlobNotFound)
        {
            return new(container, blob, []);
        }
    }

    /// <param name="chunk">A chunk's digest.</param>
    /// <param name="index">The how manieth it is.</param>
    public bool Has(string chunk, int index) => _staged.Contains(Id(chunk, index));

    /// <summary>Sends a chunk, unless it is there.</summary>
    /// <param name="chunk">Its digest.</param>
    /// <param name="index">The how manieth it is.</param>
    /// <param name="content">It is not kept.</param>
    /// <param name="cancellationToken">Ends the sending.</param>
    public async Task StageAsync(string chunk, int index, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        if (Has(chunk, index))
            return;
        await using Stream bytes = BinaryData.FromBytes(content).ToStream();
        await _blob.StageBlockAsync(Id(chunk, index), bytes, cancellationToken: cancellationToken);
        _staged.Add(Id(chunk, index));
    }

    /// <summary>Makes it visible, with the list of its chunks; all of them are there.</summary>
    public async Task CommitAsync(ModelChunks list, CancellationToken cancellationToken)
    {
        await _container.GetBlobClient(ModelPaths.Chunks(list.Digest)).UploadAsync(BinaryData.FromBytes(list.ToBytes()), overwrite: true, cancellationToken);
        CommitBlockListOptions onlyNew = new() { Conditions = new BlobRequestConditions { IfNoneMatch = ETag.All } };
        try
        {
            await _blob.CommitBlockListAsync(list.Chunks.Select(Id), onlyNew, cancellationToken);
        }
        catch (RequestFailedException e) when (e.Status is 409 or 412 || e.ErrorCode == BlobErrorCode.InvalidBlockList)
        {
            // Somebody else has committed the same content, which throws the blocks of others away. If not, it is an error like any other.
            if (!await _blob.ExistsAsync(cancellationToken))
                throw;
        }
    }

    /// <summary>
    /// Two may send at once: what either calls a block is what is in it, so that neither can spoil the other's, and the first commit wins. Storage wants the ids of all of a blob's
    /// blocks to be of one length.
    /// </summary>
    private static string Id(string chunk, int index) => Convert.ToBase64String([.. Convert.FromHexString(ModelDigest.Hex(chunk)), .. Encoding.ASCII.GetBytes($"{index:d6}")]);
}
