using System.Text.Json;
using System.Text.Json.Serialization;
using OllamaMax.Models;

namespace OllamaMax.Storage.Models;

/// <summary>How far a <see cref="DigestPass"/> is.</summary>
/// <param name="Version">Which content: another one has another.</param>
/// <param name="Size">Bytes of all of it.</param>
/// <param name="ChunkSize">Bytes of a chunk.</param>
/// <param name="Whole">State of the hash of what has been read (<see cref="ResumableSha256.ToBytes"/>).</param>
/// <param name="Chunks">Hashes of its chunks in a row, 32 bytes each.</param>
internal sealed record SavedPass(string Version, long Size, int ChunkSize, byte[] Whole, byte[] Chunks)
{
    private const int HashSize = 32;

    /// <summary>Null: it is damaged, or of other content.</summary>
    public static SavedPass? Read(ReadOnlySpan<byte> json, string version, long size)
    {
        try
        {
            return JsonSerializer.Deserialize(json, SavedPassJson.Default.SavedPass) is { } saved && saved.Version == version && saved.Size == size && saved.AddsUp() ? saved : null;
        }
        catch (Exception e) when (e is JsonException or FormatException)
        {
            return null;
        }
    }

    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, SavedPassJson.Default.SavedPass);

    public ResumableSha256 OpenWhole() => ResumableSha256.FromBytes(Whole);

    public IEnumerable<string> Digests() => Chunks.Chunk(HashSize).Select(hash => ModelDigest.Format(hash));

    public static SavedPass Of(string version, long size, int chunkSize, ResumableSha256 whole, IEnumerable<string> chunks) =>
        new(version, size, chunkSize, whole.ToBytes(), [.. chunks.SelectMany(chunk => Convert.FromHexString(ModelDigest.Hex(chunk)))]);

    /// <summary>A pass stands between two chunks, or at the end.</summary>
    private bool AddsUp()
    {
        long read = OpenWhole().Length;
        return ChunkSize == ModelChunks.SizeFor(Size) && read <= Size && (read == Size || read % ChunkSize == 0)
            && Chunks.Length == (read + ChunkSize - 1) / ChunkSize * HashSize;
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(SavedPass))]
internal sealed partial class SavedPassJson : JsonSerializerContext;
