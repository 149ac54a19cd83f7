using System.Buffers;
using System.IO.Pipelines;
using System.Security.Cryptography;
using System.Text;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using OllamaMax.Models;
using OllamaMax.Models.Gguf;

namespace OllamaMax.Storage.Models;

/// <summary>
/// Content by its digest. What comes in is hashed on its way in blocks that are the chunks of its list; only content that is what its name says
/// becomes visible. An upload that was cut short is gone on with: what storage has of its blocks is not sent again.
/// </summary>
public sealed class ModelBlobs
{
    /// <summary>Bytes of the largest blob: storage takes so many blocks of one.</summary>
    public const long LargestSize = (long)ModelChunks.Most * ModelChunks.LargestSize;

    private readonly BlobContainerClient _container;

    public ModelBlobs(BlobServiceClient blobs)
        : this(blobs.GetBlobContainerClient(Containers.Models))
    {
    }

    /// <summary>In a container of one's own: tests share a storage account.</summary>
    internal ModelBlobs(BlobContainerClient container) => _container = container;

    /// <summary>Bytes of the blob; null where there is none.</summary>
    /// <param name="digest"><c>sha256:…</c></param>
    /// <param name="cancellationToken">Ends the question.</param>
    /// <exception cref="CatalogException">Storage cannot be read.</exception>
    public async Task<long?> FindAsync(string digest, CancellationToken cancellationToken)
    {
        try
        {
            return (await _container.GetBlobClient(ModelPaths.Blob(digest)).GetPropertiesAsync(cancellationToken: cancellationToken)).Value.ContentLength;
        }
        catch (RequestFailedException e) when (e.Status == 404)
        {
            return null;
        }
        catch (Exception e) when (e is RequestFailedException or AggregateException)
        {
            throw new CatalogException($"blob {digest} cannot be looked for", e);
        }
    }

    /// <summary>The blob as a stream that reads ranges where it is looked at: a header of some KB costs no download of gigabytes.</summary>
    /// <param name="digest"><c>sha256:…</c></param>
    /// <param name="cancellationToken">Ends the opening.</param>
    /// <param name="bufferSize">Bytes that are asked for at once.</param>
    internal async Task<Stream> OpenAsync(string digest, CancellationToken cancellationToken, int bufferSize = 1 << 20)
    {
        // Its content never changes, but its tag does: whenever a name is put onto it.
        BlobOpenReadOptions options = new(allowModifications: true) { BufferSize = bufferSize };
        return await _container.GetBlobClient(ModelPaths.Blob(digest)).OpenReadAsync(options, cancellationToken);
    }

    /// <summary>The vocabulary of a GGUF, of which no more than the header is read.</summary>
    /// <param name="digest"><c>sha256:…</c></param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="GgufFormatException">It is no GGUF that can be read.</exception>
    /// <exception cref="CatalogException">Storage cannot be read.</exception>
    public async Task<GgufVocabulary> ReadVocabularyAsync(string digest, CancellationToken cancellationToken)
    {
        try
        {
            await using Stream file = await OpenAsync(digest, cancellationToken);
            return GgufReader.ReadVocabulary(file);
        }
        catch (Exception e) when (e is RequestFailedException or AggregateException)
        {
            throw new CatalogException($"the vocabulary of {digest} cannot be read", e);
        }
    }

    /// <summary>Puts content there, in constant memory.</summary>
    /// <param name="digest">What it must hash to.</param>
    /// <param name="content">Read to its end.</param>
    /// <param name="cancellationToken">Ends it; nothing stays.</param>
    /// <returns>Null when it is there now; otherwise the digest that the content has instead.</returns>
    /// <exception cref="CatalogException">Storage cannot be written.</exception>
    public async Task<string?> UploadAsync(string digest, PipeReader content, CancellationToken cancellationToken)
    {
        try
        {
            return await UploadBlocksAsync(digest, content, ModelChunks.DefaultSize, cancellationToken);
        }
        catch (Exception e) when (e is RequestFailedException or AggregateException)
        {
            throw new CatalogException($"blob {digest} cannot be written to blob storage", e);
        }
    }

    /// <summary>As <see cref="UploadAsync"/>, of content whose length is known; exceptions are storage's own.</summary>
    internal Task<string?> UploadFromAsync(string digest, Stream content, CancellationToken cancellationToken, Action<long>? progress = null)
    {
        PipeReader reader = PipeReader.Create(content, new StreamPipeReaderOptions(bufferSize: 256 << 10, leaveOpen: true));
        return UploadBlocksAsync(digest, reader, ModelChunks.SizeFor(content.Length), cancellationToken, progress);
    }

    private async Task<string?> UploadBlocksAsync(string digest, PipeReader content, int chunkSize, CancellationToken cancellationToken, Action<long>? progress = null)
    {
        BlockBlobClient blob = _container.GetBlockBlobClient(ModelPaths.Blob(digest));
        HashSet<string> staged = await ListStagedAsync(blob, cancellationToken);
        using IncrementalHash whole = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        List<string> chunks = [];
        List<string> blocks = [];
        byte[] block = new byte[chunkSize];
        long size = 0;
        for (bool isLast = false; !isLast;)
        {
            ReadResult read = await content.ReadAtLeastAsync(chunkSize, cancellationToken);
            ReadOnlySequence<byte> chunk = read.Buffer.Slice(0, Math.Min(read.Buffer.Length, chunkSize));
            isLast = read.IsCompleted && chunk.Length == read.Buffer.Length;
            if (chunk.Length > 0)
            {
                int length = (int)chunk.Length;
                chunk.CopyTo(block);
                whole.AppendData(block, 0, length);
                byte[] hash = SHA256.HashData(block.AsSpan(0, length));
                blocks.Add(BlockId(hash, chunks.Count));
                chunks.Add(ModelDigest.Format(hash));
                size += length;
                if (!staged.Contains(blocks[^1]))
                    await blob.StageBlockAsync(blocks[^1], new MemoryStream(block, 0, length, writable: false), cancellationToken: cancellationToken);
                progress?.Invoke(size);
            }
            content.AdvanceTo(chunk.End);
        }
        string actual = ModelDigest.Format(whole.GetHashAndReset());
        if (actual != digest)
            return actual; // Blocks that nobody commits are gone after a week.
        ModelChunks list = new() { Digest = digest, Size = size, ChunkSize = chunkSize, Chunks = chunks };
        await _container.GetBlobClient(ModelPaths.Chunks(digest)).UploadAsync(BinaryData.FromBytes(list.ToBytes()), overwrite: true, cancellationToken);
        await CommitAsync(blob, blocks, cancellationToken);
        return null;
    }

    /// <summary>
    /// Two may send at once: what either calls a block is what is in it, so that neither can spoil the other's, and the first commit wins. Storage wants the ids of all of a blob's
    /// blocks to be of one length.
    /// </summary>
    private static string BlockId(byte[] hash, int index) => Convert.ToBase64String([.. hash, .. Encoding.ASCII.GetBytes($"{index:d6}")]);

    /// <summary>Ids of the blocks that wait to be committed.</summary>
    private static async Task<HashSet<string>> ListStagedAsync(BlockBlobClient blob, CancellationToken cancellationToken)
    {
        try
        {
            BlockList list = await blob.GetBlockListAsync(BlockListTypes.Uncommitted, cancellationToken: cancellationToken);
            return [.. list.UncommittedBlocks.Select(block => block.Name)];
        }
        catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.BlobNotFound)
        {
            return [];
        }
    }

    private static async Task CommitAsync(BlockBlobClient blob, List<string> blocks, CancellationToken cancellationToken)
    {
        CommitBlockListOptions onlyNew = new() { Conditions = new BlobRequestConditions { IfNoneMatch = ETag.All } };
        try
        {
            await blob.CommitBlockListAsync(blocks, onlyNew, cancellationToken);
        }
        catch (RequestFailedException e) when (e.Status is 409 or 412 || e.ErrorCode == BlobErrorCode.InvalidBlockList)
        {
            // Somebody else has committed the same content, which throws the blocks of others away. If not, it is an error like any other.
            if (!await blob.ExistsAsync(cancellationToken))
                throw;
        }
    }
}
