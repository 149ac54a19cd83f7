namespace OllamaMax.Models.Gguf.Quantization;

/// <summary>A tensor of floating-point numbers as one of another type, computed while it is read.</summary>
/// <param name="rows">Reads and computes for all of a file's tensors.</param>
/// <param name="from">Of F32, F16 or BF16; its rows are whole blocks of the other type.</param>
/// <param name="start">Its first byte in the source.</param>
/// <param name="type">What it is to be: one of <see cref="BlockWriters"/>.</param>
internal sealed class QuantizedStream(QuantizedRows rows, GgufTensor from, long start, uint type) : SeekableReading
{
    public GgufTensor From { get; } = from;

    public long Start { get; } = start;

    public GgmlType To { get; } = GgmlType.Of(type);

    public BlockWriter Writer { get; } = BlockWriters.Of(type);

    public override long Length => From.Elements / To.BlockElements * To.BlockBytes;

    public override long Position { get; set; }

    public override int Read(Span<byte> buffer)
    {
        if (IsMissing())
        {
            rows.Read(rows.Seek(this, Position));
            rows.Quantize(this, CancellationToken.None);
        }
        return Take(buffer);
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (IsMissing())
        {
            await rows.ReadAsync(rows.Seek(this, Position), cancellationToken);
            rows.Quantize(this, cancellationToken);
        }
        return Take(buffer.Span);
    }

    private bool IsMissing() => Position < Length && rows.Find(this, Position).IsEmpty;

    private int Take(Span<byte> buffer)
    {
        ReadOnlySpan<byte> ready = Position < Length ? rows.Find(this, Position) : [];
        ready = ready[..Math.Min(ready.Length, buffer.Length)];
        ready.CopyTo(buffer);
        Position += ready.Length;
        return ready.Length;
    }
}
