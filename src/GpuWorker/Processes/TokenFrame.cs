using System.Buffers.Binary;
using System.Text.Json;
using OllamaMax.Jobs;

namespace OllamaMax.GpuWorker.Processes;

/// <summary>
/// The one frame that comes often, so no JSON: the token's index (4), its id (4), the engine's steps (8), the length of its piece (4), the piece,
/// and its probabilities as JSON where the job asks for them.
/// </summary>
internal readonly record struct TokenFrame
{
    private const int HeadSize = 20;

    private TokenFrame(ReadOnlyMemory<byte> memory)
    {
        ReadOnlySpan<byte> payload = memory.Span;
        Index = BinaryPrimitives.ReadInt32LittleEndian(payload);
        Token = BinaryPrimitives.ReadInt32LittleEndian(payload[4..]);
        Steps = BinaryPrimitives.ReadInt64LittleEndian(payload[8..]);
        int length = BinaryPrimitives.ReadInt32LittleEndian(payload[16..]);
        Piece = memory.Slice(HeadSize, length);
        ReadOnlySpan<byte> rest = payload[(HeadSize + length)..];
        Logprobs = rest.IsEmpty ? null : JsonSerializer.Deserialize(rest, EngineJson.Default.TokenLogprobs);
    }

    public int Index { get; }

    public int Token { get; }

    public long Steps { get; }

    /// <summary>Good until the next frame is read.</summary>
    public ReadOnlyMemory<byte> Piece { get; }

    public TokenLogprobs? Logprobs { get; }

    public static TokenFrame Read(Frame frame) => new(frame.Payload);

    public static void Write(FrameWriter writer, int job, int index, int token, long steps, ReadOnlySpan<byte> piece, TokenLogprobs? logprobs)
    {
        Span<byte> head = stackalloc byte[HeadSize];
        BinaryPrimitives.WriteInt32LittleEndian(head, index);
        BinaryPrimitives.WriteInt32LittleEndian(head[4..], token);
        BinaryPrimitives.WriteInt64LittleEndian(head[8..], steps);
        BinaryPrimitives.WriteInt32LittleEndian(head[16..], piece.Length);
        ReadOnlySpan<byte> tail = logprobs is null ? default : JsonSerializer.SerializeToUtf8Bytes(logprobs, EngineJson.Default.TokenLogprobs);
        writer.Write(FrameKind.Token, job, head, piece, tail);
    }
}
