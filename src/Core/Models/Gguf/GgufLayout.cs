namespace OllamaMax.Models.Gguf;

/// <summary>A GGUF as it lies in its file: its metadata and its table of tensors piece by piece, to be written into another header.</summary>
internal sealed class GgufLayout
{
    private readonly byte[] _raw;
    private readonly List<(string Key, int Start, int ValueStart, int End)> _pairs = [];
    private readonly List<GgufTensor> _tensors = [];

    /// <param name="file">Can be sought in; it is read from its first byte.</param>
    /// <exception cref="GgufFormatException">It is no GGUF, or a damaged one.</exception>
    public GgufLayout(Stream file)
    {
        file.Position = 0;
        Header = GgufReader.Read(file);
        FileLength = file.Length;
        _raw = new byte[Header.Length];
        file.Position = 0;
        file.ReadExactly(_raw);
        Locate();
    }

    public GgufHeader Header { get; }

    public long FileLength { get; }

    public IReadOnlyList<GgufTensor> Tensors => _tensors;

    /// <summary>The metadata in the file's order, each value with its type before it.</summary>
    public IEnumerable<(string Key, ReadOnlyMemory<byte> Value)> Pairs => _pairs.Select(pair => (pair.Key, (ReadOnlyMemory<byte>)_raw.AsMemory(pair.ValueStart, pair.End - pair.ValueStart)));

    /// <summary>Where the weights begin.</summary>
    public long DataStart => GgufReader.DataStart(Header);

    public long Alignment => GgufReader.Alignment(Header);

    /// <summary>Bytes of the weights, the last one's padding included, which a file may lack.</summary>
    public long DataLength => Padded(_tensors.TrueForAll(tensor => tensor.Bytes is not null)
        ? _tensors.Select(tensor => tensor.Offset + tensor.Bytes!.Value).DefaultIfEmpty().Max()
        : FileLength - DataStart);

    /// <summary>Of <see cref="DataLength"/>, the bytes that the file has.</summary>
    public long DataPresent => Math.Clamp(FileLength - DataStart, 0, DataLength);

    public long Padded(long bytes) => (bytes + Alignment - 1) / Alignment * Alignment;

    /// <summary>The metadata as they stand in the file, without some.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> PairsBut(Func<string, bool> isLeftOut) =>
        [.. _pairs.Where(pair => !isLeftOut(pair.Key)).Select(pair => (ReadOnlyMemory<byte>)_raw.AsMemory(pair.Start, pair.End - pair.Start))];

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
            int valueStart = (int)input.Position;
            metadata.SkipValue(key);
            _pairs.Add((key, start, valueStart, (int)input.Position));
        }
        for (long i = 0; i < tensors; i++)
            _tensors.Add(LocateTensor(input));
    }

    private static GgufTensor LocateTensor(GgufInput input)
    {
        byte[] name = new byte[input.ReadCount(1, "bytes of a tensor's name")];
        input.ReadExactly(name);
        ulong[] dimensions = new ulong[input.ReadUInt32()];
        for (int i = 0; i < dimensions.Length; i++)
            dimensions[i] = input.ReadUInt64();
        return new(name, dimensions, input.ReadUInt32(), (long)input.ReadUInt64());
    }
}
