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
        GgufLayout[] read = [.. parts.Select((part, index) => Read(part, index, parts.Count))];
        Check(read);
        byte[] header = Header(read);
        List<(Stream? From, long Start, long Length)> pieces =
        [
            (new MemoryStream(header, writable: false), 0, header.Length), (null, 0, read[0].Padded(header.Length) - header.Length),
        ];
        foreach ((GgufLayout part, Stream file) in read.Zip(parts))
        {
            pieces.Add((file, part.DataStart, part.DataPresent));
            pieces.Add((null, 0, part.DataLength - part.DataPresent));
        }
        return new PiecedStream(pieces);
    }

    private static GgufLayout Read(Stream part, int index, int count)
    {
        GgufLayout read;
        try
        {
            read = new GgufLayout(part);
        }
        catch (GgufFormatException e)
        {
            throw new GgufFormatException($"part {index + 1} of {count}: {e.Message}", e);
        }
        if (read.Header.GetInteger("split.count") is not { } said || said != count || read.Header.GetInteger("split.no") != index)
            throw new GgufFormatException($"part {index + 1} of {count} says of itself that it is another one, or none");
        return read;
    }

    private static void Check(GgufLayout[] parts)
    {
        if (parts.Any(part => part.Alignment != parts[0].Alignment || part.Header.Version != parts[0].Header.Version))
            throw new GgufFormatException("the parts are of different versions or alignments: they are not of one model");
        long tensors = parts.Sum(part => part.Header.TensorCount);
        if (parts[0].Header.GetInteger("split.tensors.count") is { } said && said != tensors)
            throw new GgufFormatException($"the parts have {tensors} tensors, and the first one says that they are {said}: they are not of one model");
    }

    private static byte[] Header(GgufLayout[] parts)
    {
        List<GgufTensor> tensors = [];
        long shift = 0;
        foreach (GgufLayout part in parts)
        {
            tensors.AddRange(part.Tensors.Select(tensor => tensor with { Offset = tensor.Offset + shift }));
            shift += part.DataLength;
        }
        return GgufHeaderWriter.Write(parts[0].Header.Version, parts[0].PairsBut(key => key.StartsWith("split.", StringComparison.Ordinal)), tensors);
    }
}
