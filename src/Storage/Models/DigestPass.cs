using System.Security.Cryptography;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using OllamaMax.Models;

namespace OllamaMax.Storage.Models;

/// <summary>What is read in a <see cref="DigestPass"/>.</summary>
/// <param name="Name">Of the pass: file name characters only, the same for the same task.</param>
/// <param name="Version">Another one where the content is another, such as its ETag.</param>
internal sealed record PassSource(string Name, string Version);

/// <summary>
/// Reads content from its first byte to its last for its digest and those of its chunks. How far it is lies in storage, so that one that is cut short, as every edge's work is some time, is gone on with by
/// whoever reads the same next: what takes longer than any of them may, comes to its end. Constant memory; exceptions are storage's own.
/// </summary>
internal sealed class DigestPass(BlobContainerClient container)
{
    /// <summary>Chunks that are read anew after a kill, at most. A pass that is cancelled loses none.</summary>
    internal const int SavedEvery = 64;

    /// <param name="source">What is read.</param>
    /// <param name="content">Can be sought in.</param>
    /// <param name="take">Given each chunk that is read now: its digest, the how manieth it is, and its bytes; null: nobody needs them.</param>
    /// <param name="progress">Told how many bytes have been read, those of before included.</param>
    /// <param name="cancellationToken">Ends it between chunks.</param>
    public async Task<ModelChunks> RunAsync(
        PassSource source, Stream content, Func<string, int, ReadOnlyMemory<byte>, Task>? take, Action<long>? progress, CancellationToken cancellationToken)
    {
        long size = content.Length;
        int chunkSize = ModelChunks.SizeFor(size);
        SavedPass? saved = await FindAsync(source, size, cancellationToken);
        ResumableSha256 whole = saved?.OpenWhole() ?? new();
        List<string> chunks = [.. saved?.Digests() ?? []];
        long safe = whole.Length;
        byte[] buffer = new byte[(int)Math.Min(chunkSize, size)];
        content.Position = whole.Length;
        try
        {
            while (whole.Length < size)
            {
                Memory<byte> chunk = buffer.AsMemory(0, (int)Math.Min(chunkSize, size - whole.Length));
                await content.ReadExactlyAsync(chunk, cancellationToken);
                string digest = ModelDigest.Format(SHA256.HashData(chunk.Span));
                Task taking = take?.Invoke(digest, chunks.Count, chunk) ?? Task.CompletedTask;
                // Hashed on its way; what does not arrive is not counted.
                ResumableSha256 next = ResumableSha256.FromBytes(whole.ToBytes());
                next.Append(chunk.Span);
                await taking;
                whole = next;
                chunks.Add(digest);
                progress?.Invoke(whole.Length);
                if (chunks.Count % SavedEvery == 0)
                    await SaveAsync();
            }
            await SaveAsync();
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await SaveAsync();
            throw;
        }
        return new ModelChunks { Digest = ModelDigest.Format(whole.GetHash()), Size = size, ChunkSize = chunkSize, Chunks = chunks };

        async Task SaveAsync()
        {
            if (whole.Length == safe)
                return;
            // Whoever cuts it short wants that kept.
            await Blob(source).UploadAsync(BinaryData.FromBytes(SavedPass.Of(source.Version, size, chunkSize, whole, chunks).ToJson()), overwrite: true, CancellationToken.None);
            safe = whole.Length;
        }
    }

    /// <summary>What came of it is done with, or of no use.</summary>
    public Task ForgetAsync(PassSource source, CancellationToken cancellationToken) => Blob(source).DeleteIfExistsAsync(cancellationToken: cancellationToken);

    private async Task<SavedPass?> FindAsync(PassSource source, long size, CancellationToken cancellationToken)
    {
        try
        {
            BlobDownloadResult found = await Blob(source).DownloadContentAsync(cancellationToken);
            return SavedPass.Read(found.Content.ToMemory().Span, source.Version, size);
        }
        catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.BlobNotFound)
        {
            return null;
        }
    }

    /// <summary>Beside what is staged: one that nobody goes on with is collected as that is.</summary>
    private BlobClient Blob(PassSource source) => container.GetBlobClient(ModelPaths.Partial($"pass-{source.Name}"));
}
