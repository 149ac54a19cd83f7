using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace OllamaMax.Models.Gguf.Quantization;

/// <summary>
/// Reads a piece of a tensor and makes blocks of it, for all the tensors of a file: one of them is read at a time, and a buffer for each would not be constant memory. Half of the cores
/// work on a piece: the edge has others to serve.
/// </summary>
/// <param name="source">Has the tensors; not disposed of here.</param>
internal sealed class QuantizedRows(Stream source)
{
    /// <summary>Of a piece: half a megabyte of F32.</summary>
    private const int PieceElements = 1 << 17;

    /// <summary>Of a share of a piece.</summary>
    private const int ShareElements = 1 << 12;
    private const int LongestBlock = 256;

    private readonly byte[] _floats = new byte[PieceElements * sizeof(float)];
    private readonly byte[] _blocks = new byte[PieceElements * sizeof(ushort)];
    private readonly int _cores = Math.Max(1, Environment.ProcessorCount / 2);
    private volatile bool _isFinite;

    /// <summary>Whose blocks are here; null: nobody's.</summary>
    private QuantizedStream? _owner;
    private long _first;
    private int _filled;

    /// <summary>The blocks from a byte of a tensor's on that are here; none: they are to be read.</summary>
    public ReadOnlySpan<byte> Find(QuantizedStream owner, long position) =>
        owner == _owner && position >= _first && position < _first + _filled ? _blocks.AsSpan((int)(position - _first), (int)(_first + _filled - position)) : [];

    /// <summary>Moves the source to the piece that makes the block with a byte, and says what of it is to be read; <see cref="Quantize"/> comes then.</summary>
    public Memory<byte> Seek(QuantizedStream owner, long position)
    {
        _owner = null;
        GgmlType to = owner.To;
        long block = position / to.BlockBytes;
        int blocks = (int)Math.Min(PieceElements / to.BlockElements, (owner.From.Elements / to.BlockElements) - block);
        (_first, _filled) = (block * to.BlockBytes, blocks * to.BlockBytes);
        int width = GgmlType.Of(owner.From.Type).BlockBytes;
        long at = owner.Start + (block * to.BlockElements * width);
        // Streams over a network read anew where they are moved.
        if (source.Position != at)
            source.Position = at;
        return _floats.AsMemory(0, blocks * to.BlockElements * width);
    }

    public void Read(Memory<byte> piece) => source.ReadExactly(piece.Span);

    public ValueTask ReadAsync(Memory<byte> piece, CancellationToken cancellationToken) => source.ReadExactlyAsync(piece, cancellationToken);

    /// <exception cref="GgufFormatException">A value is no finite number: llama.cpp would not load the file.</exception>
    public void Quantize(QuantizedStream owner, CancellationToken cancellationToken)
    {
        int blocks = _filled / owner.To.BlockBytes;
        int share = ShareElements / owner.To.BlockElements;
        _isFinite = true;
        Parallel.For(0, (blocks + share - 1) / share, new ParallelOptions { MaxDegreeOfParallelism = _cores, CancellationToken = cancellationToken }, index =>
            QuantizeShare(owner, index * share, Math.Min(blocks, (index + 1) * share)));
        if (!_isFinite)
            throw new GgufFormatException($"tensor '{owner.From.Name}' has values that are no finite numbers");
        _owner = owner;
    }

    private void QuantizeShare(QuantizedStream owner, int first, int end)
    {
        Span<float> buffer = stackalloc float[LongestBlock];
        (_, int elements, int bytes) = owner.To;
        int width = GgmlType.Of(owner.From.Type).BlockBytes;
        int atOnce = LongestBlock / elements;
        for (int block = first; block < end; block += atOnce)
        {
            int blocks = Math.Min(atOnce, end - block);
            Span<float> values = buffer[..(blocks * elements)];
            Load(_floats.AsSpan(block * elements * width, values.Length * width), owner.From.Type, values);
            if (!IsFinite(values))
                _isFinite = false;
            owner.Writer(values, _blocks.AsSpan(block * bytes, blocks * bytes));
        }
    }

    private static void Load(ReadOnlySpan<byte> floats, uint type, Span<float> values)
    {
        switch (type)
        {
            case GgmlType.F32:
                floats.CopyTo(MemoryMarshal.AsBytes(values));
                break;
            case GgmlType.F16:
                ReadOnlySpan<Half> halves = MemoryMarshal.Cast<byte, Half>(floats);
                for (int i = 0; i < values.Length; i++)
                    values[i] = (float)halves[i];
                break;
            default:
                ReadOnlySpan<ushort> upper = MemoryMarshal.Cast<byte, ushort>(floats);
                for (int i = 0; i < values.Length; i++)
                    values[i] = BitConverter.UInt32BitsToSingle((uint)upper[i] << 16);
                break;
        }
    }

    /// <summary>Zero times anything else is no zero.</summary>
    private static bool IsFinite(ReadOnlySpan<float> values)
    {
        Vector256<float> zeros = Vector256<float>.Zero;
        int vectors = values.Length - (values.Length % Vector256<float>.Count);
        foreach (Vector256<float> eight in MemoryMarshal.Cast<float, Vector256<float>>(values[..vectors]))
            zeros += eight * 0;
        float zero = Vector256.Sum(zeros);
        foreach (float value in values[vectors..])
            zero += value * 0;
        return zero == 0;
    }
}
