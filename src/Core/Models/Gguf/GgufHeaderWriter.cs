namespace OllamaMax.Models.Gguf;

/// <summary>Writes a header out of the pieces of others.</summary>
internal static class GgufHeaderWriter
{
    /// <param name="version">2 or 3.</param>
    /// <param name="pairs">Each with its key.</param>
    /// <param name="tensors">With the offsets that they are to have.</param>
    public static byte[] Write(int version, IReadOnlyCollection<ReadOnlyMemory<byte>> pairs, IReadOnlyCollection<GgufTensor> tensors)
    {
        using MemoryStream header = new();
        using BinaryWriter writer = new(header);
        writer.Write("GGUF"u8);
        writer.Write((uint)version);
        writer.Write((ulong)tensors.Count);
        writer.Write((ulong)pairs.Count);
        foreach (ReadOnlyMemory<byte> pair in pairs)
            writer.Write(pair.Span);
        foreach (GgufTensor tensor in tensors)
        {
            writer.Write((ulong)tensor.RawName.Length);
            writer.Write(tensor.RawName);
            writer.Write((uint)tensor.Dimensions.Length);
            foreach (ulong dimension in tensor.Dimensions)
                writer.Write(dimension);
            writer.Write(tensor.Type);
            writer.Write((ulong)tensor.Offset);
        }
        writer.Flush();
        return header.ToArray();
    }

    /// <summary>A pair of metadata.</summary>
    public static byte[] Pair(string key, uint value) => Pair(key, GgufValue.Of(value));

    /// <param name="key">Its key.</param>
    /// <param name="value">With its type before it.</param>
    public static byte[] Pair(string key, ReadOnlyMemory<byte> value) => [.. GgufValue.Counted(key), .. value.Span];
}
