namespace OllamaMax.Models.Gguf;

/// <summary>Reads the tensor table and keeps its sums only.</summary>
internal sealed class GgufTensors(GgufInput input)
{
    private const int LongestName = 1 << 10;

    /// <summary>ggml's GGML_MAX_DIMS.</summary>
    private const int MostDimensions = 4;

    private readonly Dictionary<string, long> _elementsByType = [];
    private UInt128 _end;

    public long ParameterCount { get; private set; }

    /// <summary>The type that most elements have.</summary>
    public string PredominantType => _elementsByType.Count == 0 ? "" : _elementsByType.MaxBy(t => t.Value).Key;

    public void Read(long count)
    {
        for (long i = 0; i < count; i++)
            ReadOne();
    }

    /// <summary>
    /// Holds the end of the last tensor against the file: a download that broke off is found before a worker finds it.
    /// </summary>
    public void CheckEnd(long dataStart)
    {
        if (_elementsByType.Count > 0 && input.Length is { } length && _end + (UInt128)dataStart > (UInt128)length)
            throw new GgufFormatException($"the file has {length} bytes, its weights end at {_end + (UInt128)dataStart}: it was cut off");
    }

    private void ReadOne()
    {
        string name = input.ReadString(LongestName, "tensor name");
        uint dimensions = input.ReadUInt32();
        if (dimensions > MostDimensions)
            throw new GgufFormatException($"tensor '{name}' has {dimensions} dimensions, more than {MostDimensions}");
        long elements = ReadElements(name, dimensions);
        GgmlType type = GgmlType.Of(input.ReadUInt32());
        ulong offset = input.ReadUInt64();
        Count(name, type, elements);
        // A type without a known size has at least its start inside the file.
        UInt128 end = (UInt128)offset + (UInt128)(type.BytesOf(elements) ?? 0);
        _end = UInt128.Max(_end, end);
    }

    private long ReadElements(string name, uint dimensions)
    {
        UInt128 elements = 1;
        for (uint i = 0; i < dimensions; i++)
        {
            elements *= input.ReadUInt64();
            if (elements > long.MaxValue)
                throw new GgufFormatException($"tensor '{name}' has more elements than can be counted");
        }
        return (long)elements;
    }

    private void Count(string name, GgmlType type, long elements)
    {
        if (elements > long.MaxValue - ParameterCount)
            throw new GgufFormatException($"the tensors up to '{name}' have more elements than can be counted");
        ParameterCount += elements;
        _elementsByType[type.Name] = _elementsByType.GetValueOrDefault(type.Name) + elements;
    }
}
