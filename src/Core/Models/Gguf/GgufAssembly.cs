namespace OllamaMax.Models.Gguf;

/// <summary>A GGUF that is made of another one where it is read, and written nowhere: a header of its own, and weights that are read where they lie.</summary>
internal static class GgufAssembly
{
    /// <param name="like">Whose version and alignment it has.</param>
    /// <param name="pairs">Its metadata, each with its key.</param>
    /// <param name="tensors">Each with what its weights are read of, and from which byte there.</param>
    /// <returns>Can be sought in; its length is known. Disposes of what it reads of with itself. Not safe for concurrent use.</returns>
    /// <exception cref="GgufFormatException">The size of a tensor is not known.</exception>
    public static Stream Open(GgufLayout like, IReadOnlyCollection<ReadOnlyMemory<byte>> pairs, IEnumerable<(GgufTensor Tensor, Stream From, long Start)> tensors)
    {
        List<GgufTensor> placed = [];
        List<(Stream? From, long Start, long Length)> data = [];
        long offset = 0;
        foreach (var (tensor, from, start) in tensors)
        {
            long bytes = tensor.Bytes ?? throw new GgufFormatException($"tensor '{tensor.Name}' is of a type that is not known here");
            placed.Add(tensor with { Offset = offset });
            data.Add((from, start, bytes));
            data.Add((null, 0, like.Padded(bytes) - bytes));
            offset += like.Padded(bytes);
        }
        byte[] header = GgufHeaderWriter.Write(like.Header.Version, pairs, placed);
        return new PiecedStream([(new MemoryStream(header, writable: false), 0, header.Length), (null, 0, like.Padded(header.Length) - header.Length), .. data]);
    }
}
