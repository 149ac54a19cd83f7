using System.Buffers.Binary;

namespace OllamaMax.Models.Gguf;

/// <summary>
/// The one GGUF that the parts of a split one make, as <c>llama-gguf-split --merge</c> writes it, without writing it: its header is made anew, and the weights are read from the
/// parts where they are asked for. So a model is one blob with one digest everywhere, however it came.
/// </summary>
public static class GgufMerge
{
    /// <param name="parts">All of them in their order, as streams that can be sought in. They are disposed of with what is answered.</param>
    /// <returns>Can be sought in; its length is known. Not safe for concurrent use.</returns>
    /// <exception cref="GgufFormatException">They are no GGUFs, or do not belong together. The parts are left open then.</exception>
    public static Stream Open(IReadOnlyList<Stream> parts)
    {
        GgufPart[] read = [.. parts.Select((part, index) => Read(part, index, parts.Count))];
        Check(read);
        long alignment = read[0].Alignment;
        List<(Stream? From, long Start, long Length)> pieces = [];
        byte[] header = Header(read);
        pieces.Add((new MemoryStream(header, writable: false), 0, header.Length));
        pieces.Add((null, 0, ((header.Length + alignment - 1) / alignment * alignment) - header.Length));
        foreach ((GgufPart part, Stream file) in read.Zip(parts))
        {
            pieces.Add((file, part.DataStart, part.DataPresent));
            pieces.Add((null, 0, part.DataLength - part.DataPresent));
        }
        return new PiecedStream(pieces);
    }

    private static GgufPart Read(Stream part, int index, int count)
    {
        GgufPart read;
        try
        {
            read = new GgufPart(part);
        }
        catch (GgufFormatException e)
        {
            throw new GgufFormatException($"part {index + 1} of {count}: {e.Message}", e);
        }
        if (read.Header.GetInteger("split.count") is not { } said || said != count || read.Header.GetInteger("split.no") != index)
            throw new GgufFormatException($"part {index + 1} of {count} says of itself that it is another one, or none");
        return read;
    }

    private static void Check(GgufPart[] parts)
    {
        if (parts.Any(part => part.Alignment != parts[0].Alignment || part.Header.Version != parts[0].Header.Version))
            throw new GgufFormatException("the parts are of different versions or alignments: they are not of one model");
        long tensors = parts.Sum(part => part.Header.TensorCount);
        if (parts[0].Header.GetInteger("split.tensors.count") is { } said && said != tensors)
            throw new GgufFormatException($"the parts have {tensors} tensors, and the first one says that they are {said}: they are not of one model");
    }

    private static byte[] Header(GgufPart[] parts)
    {
        MemoryStream header = new();
        header.Write("GGUF"u8);
        Span<byte> number = stackalloc byte[8];
        BinaryPrimitives.WriteUInt32LittleEndian(number, (uint)parts[0].Header.Version);
        header.Write(number[..4]);
        var (count, pairs) = parts[0].Pairs;
        foreach (long value in (ReadOnlySpan<long>)[parts.Sum(part => part.Header.TensorCount), count])
        {
            BinaryPrimitives.WriteInt64LittleEndian(number, value);
            header.Write(number);
        }
        foreach (ReadOnlyMemory<byte> pair in pairs)
            header.Write(pair.Span);
        long shift = 0;
        foreach (GgufPart part in parts)
        {
            header.Write(part.Tensors(shift));
            shift += part.DataLength;
        }
        return header.ToArray();
    }
}
