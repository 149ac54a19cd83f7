using System.Buffers.Binary;

namespace OllamaMax.Models.Gguf;

/// <summary>How the elements of a tensor that is not quantized are written.</summary>
internal enum FloatWidth
{
    F32,
    F16,
    BF16,
}

/// <summary>A tensor of floating-point numbers as ggml's <c>block_q8_0</c>: of each 32 elements a scale of 16 bits, and 32 numbers of 8 (<c>quantize_row_q8_0_ref</c>).</summary>
/// <param name="source">Has the tensor; not disposed of here, others read it too.</param>
/// <param name="start">Its first byte.</param>
/// <param name="elements">A multiple of 32.</param>
/// <param name="width">How they are written.</param>
internal sealed class Q8Stream(Stream source, long start, long elements, FloatWidth width) : Stream
{
    public const int BlockElements = 32;
    private const int BlockBytes = 34;

    /// <summary>Of a reading: half a megabyte of F32.</summary>
    private const int Blocks = 4096;

    private readonly byte[] _floats = new byte[Blocks * BlockElements * BytesOf(width)];
    private readonly byte[] _quantized = new byte[Blocks * BlockBytes];
    private long _first;
    private int _filled;

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => elements / BlockElements * BlockBytes;

    public override long Position { get; set; }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        if (Prepare() is { } wanted)
        {
            source.ReadExactly(wanted.Span);
            Quantize(wanted.Span);
        }
        return Take(buffer);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (Prepare() is { } wanted)
        {
            await source.ReadExactlyAsync(wanted, cancellationToken);
            Quantize(wanted.Span);
        }
        return Take(buffer.Span);
    }

    public override long Seek(long offset, SeekOrigin origin) => Position = offset + origin switch
    {
        SeekOrigin.Begin => 0,
        SeekOrigin.Current => Position,
        _ => Length,
    };

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private static int BytesOf(FloatWidth width) => width == FloatWidth.F32 ? 4 : 2;

    /// <summary>What of the source is to be read for the byte that is next; null: it is here, or there is none.</summary>
    private Memory<byte>? Prepare()
    {
        if (Position >= Length || (Position >= _first && Position < _first + _filled))
            return null;
        long block = Position / BlockBytes;
        int blocks = (int)Math.Min(Blocks, (elements / BlockElements) - block);
        (_first, _filled) = (block * BlockBytes, blocks * BlockBytes);
        long at = start + (block * BlockElements * BytesOf(width));
        // Streams over a network read anew where they are moved.
        if (source.Position != at)
            source.Position = at;
        return _floats.AsMemory(0, blocks * BlockElements * BytesOf(width));
    }

    private int Take(Span<byte> buffer)
    {
        if (Position >= Length)
            return 0;
        ReadOnlySpan<byte> ready = _quantized.AsSpan((int)(Position - _first), _filled - (int)(Position - _first));
        ready = ready[..Math.Min(ready.Length, buffer.Length)];
        ready.CopyTo(buffer);
        Position += ready.Length;
        return ready.Length;
    }

    private void Quantize(ReadOnlySpan<byte> floats)
    {
        Span<float> values = stackalloc float[BlockElements];
        int size = BytesOf(width);
        for (int block = 0; block * BlockElements * size < floats.Length; block++)
        {
            ReadOnlySpan<byte> from = floats.Slice(block * BlockElements * size, BlockElements * size);
            for (int i = 0; i < BlockElements; i++)
                values[i] = Value(from[(i * size)..]);
            Quantize(values, _quantized.AsSpan(block * BlockBytes, BlockBytes));
        }
    }

    private float Value(ReadOnlySpan<byte> bytes) => width switch
    {
        FloatWidth.F32 => BinaryPrimitives.ReadSingleLittleEndian(bytes),
        FloatWidth.F16 => (float)BinaryPrimitives.ReadHalfLittleEndian(bytes),
        _ => BitConverter.UInt32BitsToSingle((uint)BinaryPrimitives.ReadUInt16LittleEndian(bytes) << 16),
    };

    private static void Quantize(ReadOnlySpan<float> values, Span<byte> block)
    {
        float furthest = 0;
        foreach (float value in values)
            furthest = Math.Max(furthest, Math.Abs(value));
        float scale = furthest / 127;
        float inverse = scale == 0 ? 0 : 1 / scale;
        BinaryPrimitives.WriteHalfLittleEndian(block, (Half)scale);
        for (int i = 0; i < BlockElements; i++)
            block[2 + i] = (byte)(sbyte)MathF.Round(values[i] * inverse, MidpointRounding.AwayFromZero);
    }
}
