using System.Globalization;
using System.Text.Json;
using OllamaMax.Security;
using OllamaMax.Streaming;

namespace OllamaMax.Jobs.Records;

/// <summary>
/// A chunk in the output of a job that is encrypted where it lies. What the protocol goes by stays readable: whose turn it is, how far the answer is, and how an attempt ended are known without the key.
/// </summary>
/// <param name="Index">As <see cref="Chunk.Index"/>.</param>
/// <param name="Count">Its tokens.</param>
/// <param name="Content">Under the job's seal, for this attempt and place: the chunk.</param>
/// <param name="Start">As <see cref="Chunk.Start"/>.</param>
/// <param name="End">As <see cref="Chunk.End"/>.</param>
public sealed record SealedChunk(int Index, int Count, byte[] Content, AttemptStart? Start = null, AttemptEnd? End = null)
{
    /// <summary>Whether its parts can be what they say; a chunk comes from another machine.</summary>
    internal bool IsWellFormed => Index >= 0 && Count >= 0 && Content is not null;

    public static SealedChunk Of(int attempt, Chunk chunk, ContentSeal seal)
    {
        byte[] plain = JsonSerializer.SerializeToUtf8Bytes(chunk with { Start = null, End = null }, ProtocolJson.Default.Chunk);
        return new(chunk.Index, chunk.Tokens.Length, seal.Seal(Place(attempt, chunk.Index, chunk.Tokens.Length), plain), chunk.Start, chunk.End);
    }

    /// <summary>Null where it was not sealed as this chunk of this attempt.</summary>
    internal Chunk? Open(int attempt, ContentSeal seal)
    {
        if (seal.Open(Place(attempt, Index, Count), Content) is not { } plain)
            return null;
        try
        {
            return JsonSerializer.Deserialize(plain, ProtocolJson.Default.Chunk) is { IsWellFormed: true } chunk && chunk.Index == Index && chunk.Tokens.Length == Count
                ? chunk with { Start = Start, End = End }
                : null;
        }
        catch (JsonException)
        {
            // A worker that has the seal may still have been made to write anything.
            return null;
        }
    }

    private static string Place(int attempt, int index, int count) => string.Create(CultureInfo.InvariantCulture, $"chunk {attempt} {index} {count}");
}
