using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace OllamaMax.GpuWorker.Processes;

/// <summary>One end of a pipe to read frames from, by one thread that waits for them.</summary>
internal sealed class FrameReader(Stream stream) : IDisposable
{
    /// <summary>Far above any prompt: a longer frame is no frame.</summary>
    private const int Longest = 1 << 30;

    private readonly BufferedStream _stream = new(stream, 64 << 10);
    private byte[] _payload = new byte[4096];

    /// <summary>Waits for the next frame; false at the pipe's end, in the middle of a frame as well.</summary>
    /// <exception cref="InvalidDataException">What comes is no frame.</exception>
    public bool TryRead([NotNullWhen(true)] out Frame? frame)
    {
        frame = null;
        Span<byte> header = stackalloc byte[FrameWriter.HeaderSize];
        if (_stream.ReadAtLeast(header, header.Length, throwOnEndOfStream: false) < header.Length)
            return false;
        int length = BinaryPrimitives.ReadInt32LittleEndian(header);
        if (length is < 0 or > Longest)
            throw new InvalidDataException($"a frame of {length} bytes");
        if (_payload.Length < length || (_payload.Length > 1 << 20 && length < 1 << 20))
            _payload = new byte[Math.Max(length, 4096)];
        if (_stream.ReadAtLeast(_payload.AsSpan(0, length), length, throwOnEndOfStream: false) < length)
            return false;
        frame = new Frame((FrameKind)header[4], BinaryPrimitives.ReadInt32LittleEndian(header[5..]), _payload.AsMemory(0, length));
        return true;
    }

    public void Dispose() => _stream.Dispose();
}

/// <param name="Payload">Good until the next frame is read.</param>
internal sealed record Frame(FrameKind Kind, int Job, ReadOnlyMemory<byte> Payload)
{
    /// <exception cref="InvalidDataException">It is not what its kind says.</exception>
    public T Read<T>(JsonTypeInfo<T> type, int skip = 0)
    {
        try
        {
            return JsonSerializer.Deserialize(Payload.Span[skip..], type) ?? throw new InvalidDataException($"an empty {Kind} frame");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"a {Kind} frame that cannot be read", e);
        }
    }

    public long ReadInt64() => BinaryPrimitives.ReadInt64LittleEndian(Payload.Span);
}
