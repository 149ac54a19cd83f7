using System.Text.Json;

namespace OllamaMax.Models;

/// <summary>
/// Digests of a blob's pieces, made when it is published, so that a copy can verify each piece as it arrives and fetch only those
/// it lacks.
/// </summary>
public sealed record ModelChunks
{
    /// <summary>
    /// 4 MiB: what a connection of 10 Mbit/s brings in 3 s, so that little is lost with it; 40 GB are ten thousand pieces, whose
    /// list takes 750 KB. Read the size from the list, this one is for new lists.
    /// </summary>
    public const int DefaultSize = 4 << 20;

    /// <summary>Of the largest blobs: storage takes 50,000 blocks of one. A copy takes a few buffers of that.</summary>
    public const int LargestSize = 16 << 20;

    /// <summary>Pieces that a blob is written in at most.</summary>
    public const int Most = 50_000;

    /// <summary>Digest of the whole blob.</summary>
    public required string Digest { get; init; }

    /// <summary>Bytes of the whole blob.</summary>
    public required long Size { get; init; }

    /// <summary>Bytes of each piece; the last one may be shorter.</summary>
    public required int ChunkSize { get; init; }

    /// <summary>Digest of each piece, in order.</summary>
    public required IReadOnlyList<string> Chunks { get; init; }

    /// <exception cref="FormatException">It is no list, or one that does not add up.</exception>
    public static ModelChunks Parse(ReadOnlySpan<byte> json)
    {
        ModelChunks? list;
        try
        {
            list = JsonSerializer.Deserialize(json, ModelJson.Blob.ModelChunks);
        }
        catch (JsonException e)
        {
            throw new FormatException("The list of a blob's chunks is no valid JSON.", e);
        }
        return list is { Chunks: not null } && list.AddsUp()
            ? list
            : throw new FormatException("The list of a blob's chunks does not add up.");
    }

    /// <summary>Bytes of each piece of a new blob of so many bytes.</summary>
    public static int SizeFor(long bytes) => bytes <= (long)Most * DefaultSize ? DefaultSize : LargestSize;

    /// <summary>Bytes of one piece.</summary>
    public int LengthOf(int index) => (int)Math.Min(ChunkSize, Size - ((long)index * ChunkSize));

    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, ModelJson.Blob.ModelChunks);

    private bool AddsUp() => ModelDigest.IsValid(Digest)
        && Size >= 0
        && ChunkSize > 0
        && Chunks.Count == (Size + ChunkSize - 1) / ChunkSize
        && Chunks.All(ModelDigest.IsValid);
}
