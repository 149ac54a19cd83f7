using OllamaMax.Models;

namespace OllamaMax.GpuWorker.Models;

/// <summary>Looks at a copy before it is used: its length, its first and last piece, and some between.</summary>
internal sealed class SpotCheck(Random random)
{
    private const int Pieces = 4;

    private readonly Lock _lock = new();

    /// <exception cref="IOException">The copy cannot be read.</exception>
    public async Task<bool> IsWholeAsync(string path, ModelChunks chunks, CancellationToken cancellationToken)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0, useAsync: true);
        if (file.Length != chunks.Size)
            return false;
        byte[] buffer = new byte[chunks.ChunkSize];
        foreach (int index in Chosen(chunks.Chunks.Count))
        {
            Memory<byte> piece = buffer.AsMemory(0, chunks.LengthOf(index));
            if (await RandomAccess.ReadAsync(file.SafeFileHandle, piece, (long)index * chunks.ChunkSize, cancellationToken) != piece.Length
                || ModelDigest.Of(piece.Span) != chunks.Chunks[index])
                return false;
        }
        return true;
    }

    private IEnumerable<int> Chosen(int count)
    {
        if (count <= Pieces)
            return Enumerable.Range(0, count);
        lock (_lock)
            return [0, count - 1, .. Enumerable.Range(0, Pieces - 2).Select(_ => random.Next(1, count - 1))];
    }
}
