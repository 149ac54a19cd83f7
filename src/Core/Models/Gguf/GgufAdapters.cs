namespace OllamaMax.Models.Gguf;

/// <summary>
/// Adapters (LoRA) behind the weights of a model: GGUFs in a row in one file, each where the one before ends by its table. llama.cpp reads the first and does not look further; who knows of the others
/// finds them there. So a model with an adapter is a blob with a digest of its own: what goes by digests (jobs, queues, copies, placement, memory) knows nothing of adapters, and takes no model for another.
/// </summary>
public static class GgufAdapters
{
    /// <summary>Where in a file adapters lie; none: it is a model alone.</summary>
    /// <param name="file">Can be sought in.</param>
    /// <exception cref="GgufFormatException">It is no GGUF, something in the row is damaged, or is no adapter of the model.</exception>
    public static IReadOnlyList<(long Start, long Length)> Find(Stream file)
    {
        (long Start, long Length)[] adapters = [.. Row(file).Skip(1).Select(one => (one.Start, Math.Min(one.End, file.Length) - one.Start))];
        if (adapters.Length == 0)
            return adapters;
        GgufLayout model = new(file);
        foreach ((long, long) adapter in adapters)
            AdapterCheck.Check(model, new GgufLayout(Part(file, adapter)));
        return adapters;
    }

    /// <summary>A part of a file as a stream of its own; the file stays open.</summary>
    public static Stream Part(Stream file, (long Start, long Length) part) => new PiecedStream([(file, part.Start, part.Length)], leaveOpen: true);

    /// <summary>A model, with what adapters it has already, and more of them behind.</summary>
    /// <param name="model">Can be sought in, as the adapters; all are disposed of with what is answered.</param>
    /// <param name="adapters">In the order in which they are to be.</param>
    /// <returns>Can be sought in; its length is known. Not safe for concurrent use.</returns>
    /// <exception cref="GgufFormatException">One is no adapter, or none of this model. All are left open then.</exception>
    public static Stream Append(Stream model, IReadOnlyList<Stream> adapters)
    {
        GgufLayout layout = new(model);
        List<(Stream? From, long Start, long Length)> pieces = [];
        Add(model, Row(model).Last().End);
        foreach (Stream adapter in adapters)
        {
            GgufLayout added = new(adapter);
            AdapterCheck.Check(layout, added);
            Add(adapter, EndOf(added));
        }
        return new PiecedStream(pieces);

        // The padding behind the last tensor, which a file may lack, is there where another follows.
        void Add(Stream file, long end)
        {
            pieces.Add((file, 0, Math.Min(end, file.Length)));
            pieces.Add((null, 0, Math.Max(0, end - file.Length)));
        }
    }

    private static IEnumerable<(long Start, long End)> Row(Stream file)
    {
        long end = EndOf(new GgufLayout(file));
        yield return (0, end);
        while (IsGguf(file, end))
        {
            long start = end;
            end += EndOf(new GgufLayout(Part(file, (start, file.Length - start))));
            yield return (start, end);
        }
    }

    private static long EndOf(GgufLayout layout) => layout.DataStart + layout.DataLength;

    private static bool IsGguf(Stream file, long at)
    {
        if (at + 4 > file.Length)
            return false;
        Span<byte> magic = stackalloc byte[4];
        file.Position = at;
        file.ReadExactly(magic);
        return magic.SequenceEqual("GGUF"u8);
    }
}
