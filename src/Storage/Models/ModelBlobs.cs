using System.Buffers;
using System.IO.Pipelines;
using System.Security.Cryptography;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
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
    private readonly DigestPass _pass;

    public ModelBlobs(BlobServiceClient blobs)
        : this(blobs.GetBlobContainerClient(Containers.Models))
    {
    }

    /// <summary>In a container of one's own: tests share a storage account.</summary>
    internal ModelBlobs(BlobContainerClient container) => (_container, _pass) = (container, new(container));

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
            return await UploadBlocksAsync(digest, content, cancellationToken);
        }
        catch (Exception e) when (e is RequestFailedException or AggregateException)
        {
            throw new CatalogException($"blob {digest} cannot be written to blob storage", e);
        }
    }

    /// <summary>Digests of content that is in storage, or is made of what is, read once; what was cut short is gone on with. Exceptions of this and of what follows are storage's own.</summary>
    internal Task<ModelChunks> DigestAsync(PassSource source, Stream content, CancellationToken cancellationToken, Action<long>? progress = null) =>
        _pass.RunAsync(source, content, null, progress, cancellationToken);

    /// <summary>What is kept of <see cref="DigestAsync"/> is needed no more.</summary>
    internal Task ForgetAsync(PassSource source, CancellationToken cancellationToken) => _pass.ForgetAsync(source, cancellationToken);

    /// <summary>As <see cref="UploadAsync"/>, of content that is in storage: read once, and gone on with where it was cut short.</summary>
    internal async Task<string?> PublishAsync(string digest, PassSource source, Stream content, CancellationToken cancellationToken)
    {
        BlobBlocks blocks = await BlobBlocks.OpenAsync(_container, digest, cancellationToken);
        ModelChunks list = await _pass.RunAsync(source, content, (chunk, index, bytes) => blocks.StageAsync(chunk, index, bytes, cancellationToken), null, cancellationToken);
        bool isWritten = list.Digest == digest && await WriteAsync(blocks, list, content, null, cancellationToken);
        await _pass.ForgetAsync(source, cancellationToken);
        if (list.Digest != digest)
            return list.Digest;
        return isWritten ? null : throw new CatalogException($"what was to become {digest} was changed meanwhile");
    }

    /// <summary>Puts content there whose digests are known: of what was cut short only the rest is read.</summary>
    /// <returns>False: the content has others.</returns>
    internal async Task<bool> WriteAsync(ModelChunks list, Stream content, CancellationToken cancellationToken, Action<long>? progress = null) =>
        await WriteAsync(await BlobBlocks.OpenAsync(_container, list.Digest, cancellationToken), list, content, progress, cancellationToken);

    private static async Task<bool> WriteAsync(BlobBlocks blocks, ModelChunks list, Stream content, Action<long>? progress, CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[list.Chunks.Count == 0 ? 0 : list.LengthOf(0)];
        for (int i = 0; i < list.Chunks.Count; i++)
        {
            Memory<byte> chunk = buffer.AsMemory(0, list.LengthOf(i));
            if (!blocks.Has(list.Chunks[i], i))
            {
                content.Position = (long)i * list.ChunkSize;
                await content.ReadExactlyAsync(chunk, cancellationToken);
                if (ModelDigest.Of(chunk.Span) != list.Chunks[i])
                    return false;
                await blocks.StageAsync(list.Chunks[i], i, chunk, cancellationToken);
            }
            progress?.Invoke(((long)i * list.ChunkSize) + chunk.Length);
        }
        await blocks.CommitAsync(list, cancellationToken);
        return true;
    }

    private async Task<string?> UploadBlocksAsync(string digest, PipeReader content, CancellationToken cancellationToken)
    {
        const int chunkSize = ModelChunks.DefaultSize;
        BlobBlocks blocks = await BlobBlocks.OpenAsync(_container, digest, cancellationToken);
        using IncrementalHash whole = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        List<string> chunks = [];
        byte[] block = new byte[chunkSize];
        long size = 0;
        for (bool isLast = false; !isLast;)
        {
            ReadResult read = await content.ReadAtLeastAsync(chunkSize, cancellationToken);
            ReadOnlySequence<byte> chunk = read.Buffer.Slice(0, Math.Min(read.Buffer.Length, chunkSize));
            isLast = read.IsCompleted && chunk.Length == read.Buffer.Length;
            if (chunk.Length > 0)
            {
                Memory<byte> bytes = block.AsMemory(0, (int)chunk.Length);
                chunk.CopyTo(bytes.Span);
                whole.AppendData(bytes.Span);
                string hash = ModelDigest.Of(bytes.Span);
                await blocks.StageAsync(hash, chunks.Count, bytes, cancellationToken);
                chunks.Add(hash);
                size += bytes.Length;
            }
            content.AdvanceTo(chunk.End);
        }
        string actual = ModelDigest.Format(whole.GetHashAndReset());
        if (actual != digest)
            return actual;
        await blocks.CommitAsync(new ModelChunks { Digest = digest, Size = size, ChunkSize = chunkSize, Chunks = chunks }, cancellationToken);
        return null;
    }
}
