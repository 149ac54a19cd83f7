using System.Buffers.Binary;

namespace OllamaMax.Models.Gguf;

/// <summary>One file of a split GGUF: its header as it stands there, and where in it is what changes when the parts become one.</summary>
internal sealed class GgufPart
{
    private const int OffsetBytes = 8;

    private readonly Stream _file;
    private readonly byte[] _raw;
    private readonly List<(string Key, int Start, int End)> _pairs = [];
    private readonly List<int> _offsets = [];
    private int _tensorsAt;
    private UInt128 _end;
    private bool _isEndKnown = true;

    /// <param name="file">Can be sought in; it is read from its first byte.</param>
    /// <exception cref="GgufFormatException">It is no GGUF, or a damaged one.</exception>
    public GgufPart(Stream file)
    {
        _file = file;
        file.Position = 0;
        Header = GgufReader.Read(file);
        _raw = new byte[Header.Length];
        file.Position = 0;
        file.ReadExactly(_raw);
        Locate();
    }

    public GgufHeader Header { get; }

    /// <summary>Where the weights begin.</summary>
    public long DataStart => GgufReader.DataStart(Header);

    public long Alignment => GgufReader.Alignment(Header);

    /// <summary>Bytes of the weights, the last one's padding included, which a file may lack.</summary>
    public long DataLength
    {
        get
        {
            long length = _isEndKnown ? (long)_end : _file.Length - DataStart;
            return (length + Alignment - 1) / Alignment * Alignment;
        }
    }

    /// <summary>Of <see cref="DataLength"/>, the bytes that the file has.</summary>
    public long DataPresent => Math.Clamp(_file.Length - DataStart, 0, DataLength);

    /// <summary>The metadata as they stand in the file, without what only tells parts from one another.</summary>
    public (long Count, IEnumerable<ReadOnlyMemory<byte>> Bytes) Pairs
    {
        get
        {
            var kept = _pairs.Where(pair => !pair.Key.StartsWith("split.", StringComparison.Ordinal)).ToArray();
            return (kept.Length, kept.Select(pair => (ReadOnlyMemory<byte>)_raw.AsMemory(pair.Start, pair.End - pair.Start)));
        }
    }

    /// <summary>The table of the tensors, for weights that begin so many bytes further on.</summary>
    public byte[] Tensors(long shift)
    {
        byte[] table = _raw[_tensorsAt..];
        foreach (int offset in _offsets)
        {
            Span<byte> at = table.AsSpan(offset - _tensorsAt, OffsetBytes);
            BinaryPrimitives.WriteUInt64LittleEndian(at, BinaryPrimitives.ReadUInt64LittleEndian(at) + (ulong)shift);
        }
        return table;
    }

    /// <summary>Once more, over a header that has been found sound.</summary>
    private void Locate()
    {
        GgufInput input = new(new MemoryStream(_raw), _raw.Length);
        input.Skip(8);
        long tensors = (long)input.ReadUInt64();
        long pairs = (long)input.ReadUInt64();
        GgufMetadata metadata = new(input);
        for (long i = 0; i < pairs; i++)
        {
            int start = (int)input.Position;
            string key = input.ReadString(ushort.MaxValue, "metadata key");
            metadata.SkipValue(key);
            _pairs.Add((key, start, (int)input.Position));
        }
        _tensorsAt = (int)input.Position;
        for (long i = 0; i < tensors; i++)
            LocateTensor(input);
    }

    private void LocateTensor(GgufInput input)
    {
        input.Skip(input.ReadCount(1, "bytes of a tensor's name"));
        UInt128 elements = 1;
        for (uint dimensions = input.ReadUInt32(); dimensions > 0; dimensions--)
            elements *= input.ReadUInt64();
        long? bytes = GgmlType.Of(input.ReadUInt32()).BytesOf((long)elements);
        _offsets.Add((int)input.Position);
        ulong offset = input.ReadUInt64();
        _isEndKnown &= bytes is not null;
        _end = UInt128.Max(_end, (UInt128)offset + (UInt128)(bytes ?? 0));
    }
}
