namespace OllamaMax.Models.Gguf;

/// <summary>Keeps the arrays of a vocabulary while a header is read, as long as they are no longer than any that is known.</summary>
internal sealed class GgufVocabularyArrays
{
    private const string Prefix = "tokenizer.ggml.";
    private const int MostEntries = 4 << 20;
    private const int LongestMerge = 1 << 12;
    private const long MostMergeBytes = 64 << 20;

    public float[]? Scores { get; private set; }

    public int[]? Types { get; private set; }

    public IReadOnlyList<string> Merges { get; private set; } = [];

    /// <summary>False, with nothing read, for an array that is none of these.</summary>
    public bool TryRead(GgufInput input, string key, GgufValueType type, long count)
    {
        if (!key.StartsWith(Prefix, StringComparison.Ordinal) || count > MostEntries)
            return false;
        switch (key[Prefix.Length..], type)
        {
            case ("scores", GgufValueType.Float32):
                Scores = Read(count, () => BitConverter.UInt32BitsToSingle(input.ReadUInt32()));
                return true;
            case ("scores", GgufValueType.Int32):
                Scores = Read(count, () => (float)(int)input.ReadUInt32());
                return true;
            case ("token_type", GgufValueType.Int32):
                Types = Read(count, () => (int)input.ReadUInt32());
                return true;
            case ("merges", GgufValueType.String):
                Merges = ReadMerges(input, count);
                return true;
            default:
                return false;
        }
    }

    private static T[] Read<T>(long count, Func<T> read)
    {
        T[] values = new T[count];
        for (int i = 0; i < values.Length; i++)
            values[i] = read();
        return values;
    }

    private static string[] ReadMerges(GgufInput input, long count)
    {
        long from = input.Position;
        return Read(count, () => input.Position - from < MostMergeBytes
            ? input.ReadString(LongestMerge, "merge")
            : throw new GgufFormatException($"the vocabulary's merges are longer than {MostMergeBytes} bytes"));
    }
}
