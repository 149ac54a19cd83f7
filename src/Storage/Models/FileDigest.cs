using System.Security.Cryptography;
using OllamaMax.Models;

namespace OllamaMax.Storage.Models;

/// <summary>Digests of a file, or of the one that several make, and of its chunks, from one pass over it in constant memory.</summary>
internal static class FileDigest
{
    /// <param name="file">Read from its first byte.</param>
    /// <param name="progress">Told after each chunk.</param>
    /// <param name="cancellationToken">Ends it between chunks.</param>
    public static async Task<ModelChunks> ComputeAsync(
        Stream file, IProgress<PublishProgress>? progress, CancellationToken cancellationToken)
    {
        file.Position = 0;
        using IncrementalHash whole = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        List<string> chunks = [];
        int chunkSize = ModelChunks.SizeFor(file.Length);
        byte[] buffer = new byte[chunkSize];
        long size = 0;
        int read;
        while ((read = await file.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken)) > 0)
        {
            whole.AppendData(buffer, 0, read);
            chunks.Add(ModelDigest.Of(buffer.AsSpan(0, read)));
            size += read;
            progress?.Report(new PublishProgress(PublishStage.Hashing, size, file.Length));
        }
        return new ModelChunks
        {
            Digest = ModelDigest.Format(whole.GetHashAndReset()),
            Size = size,
            ChunkSize = chunkSize,
            Chunks = chunks,
        };
    }
}
