using System.Text.Json;

namespace OllamaMax.Models.Gguf;

/// <summary>
/// Reads the header of a GGUF of version 2 or 3 (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md): from front to back,
/// once, in bounded memory, whatever the bytes are.
/// </summary>
public static class GgufReader
{
    private const uint Magic = 0x46554747;
    private const int BufferSize = 64 << 10;
    private const int SmallestPair = 13;
    private const int SmallestTensor = 24;
    private const long DefaultAlignment = 32;
    private const long LargestAlignment = 1 << 20;

    /// <param name="stream">Stands at the file's first byte; read up to the weights, and some bytes further.</param>
    /// <param name="length">Bytes of the whole file, where the stream does not know them itself.</param>
    /// <exception cref="GgufFormatException">It is no GGUF, one of another version, or a damaged one.</exception>
    public static GgufHeader Read(Stream stream, long? length = null)
    {
        GgufInput input = new(new BufferedStream(stream, BufferSize), length ?? (stream.CanSeek ? stream.Length - stream.Position : null));
        int version = ReadVersion(input);
        long tensorCount = input.ReadCount(SmallestTensor, "tensors");
        long pairCount = input.ReadCount(SmallestPair, "metadata keys");
        GgufMetadata pairs = new(input);
        Dictionary<string, JsonElement> metadata = pairs.Read(pairCount);
        GgufTensors tensors = new(input);
        tensors.Read(tensorCount);
        GgufHeader header = new()
        {
            Version = version,
            Metadata = metadata,
            BosToken = "",
            EosToken = "",
            TensorCount = tensorCount,
            ParameterCount = tensors.ParameterCount,
            TensorType = tensors.PredominantType,
            Length = input.Position,
        };
        tensors.CheckEnd(DataStart(header));
        return WithTokens(header, pairs.Tokens);
    }

    /// <summary>Reads the vocabulary, with the metadata that stands around it. Some 20 MB of memory for the largest ones.</summary>
    /// <param name="stream">As of <see cref="Read"/>.</param>
    /// <exception cref="GgufFormatException">It is no GGUF, one of another version, or a damaged one.</exception>
    public static GgufVocabulary ReadVocabulary(Stream stream)
    {
        GgufInput input = new(new BufferedStream(stream, BufferSize), stream.CanSeek ? stream.Length - stream.Position : null);
        ReadVersion(input);
        input.ReadCount(SmallestTensor, "tensors");
        long pairCount = input.ReadCount(SmallestPair, "metadata keys");
        GgufVocabularyArrays arrays = new();
        GgufMetadata pairs = new(input, arrays);
        Dictionary<string, JsonElement> metadata = pairs.Read(pairCount);
        return new GgufVocabulary
        {
            Metadata = metadata,
            Tokens = [.. Enumerable.Range(0, pairs.Tokens.Count).Select(id => pairs.Tokens.TextOf(id))],
            Scores = arrays.Scores,
            Types = arrays.Types,
            Merges = arrays.Merges,
        };
    }

    /// <summary>The architecture, for which no more is read than stands before it; null where the file does not say it.</summary>
    /// <param name="stream">As of <see cref="Read"/>.</param>
    /// <param name="length">Bytes of the whole file; null: what is there may be its begin alone.</param>
    /// <exception cref="GgufFormatException">It is no GGUF, one of another version, a damaged one, or ends before.</exception>
    internal static string? FindArchitecture(Stream stream, long? length)
    {
        GgufInput input = new(new BufferedStream(stream, BufferSize), length);
        ReadVersion(input);
        input.ReadCount(SmallestTensor, "tensors");
        long pairCount = input.ReadCount(SmallestPair, "metadata keys");
        return new GgufMetadata(input).FindText(pairCount, "general.architecture");
    }

    private static int ReadVersion(GgufInput input)
    {
        if (input.Length < 4 || input.ReadUInt32() != Magic)
            throw new GgufFormatException("this is no GGUF file: it does not begin with 'GGUF'");
        uint version = input.ReadUInt32();
        return version switch
        {
            2 or 3 => (int)version,
            1 => throw new GgufFormatException("GGUF version 1 is too old; versions 2 and 3 can be read"),
            0 => throw new GgufFormatException("GGUF version 0 does not exist: the file is damaged"),
            _ when (version & 0xffff) == 0 => throw new GgufFormatException("the GGUF is big-endian; little-endian ones can be read"),
            _ => throw new GgufFormatException($"GGUF version {version} is newer than 2 and 3, which can be read"),
        };
    }

    /// <summary>Where the weights begin.</summary>
    internal static long DataStart(GgufHeader header)
    {
        long alignment = Alignment(header);
        return (header.Length + alignment - 1) / alignment * alignment;
    }

    /// <summary>Bytes that the beginning of each tensor is a multiple of.</summary>
    internal static long Alignment(GgufHeader header)
    {
        long alignment = header.GetInteger("general.alignment") ?? DefaultAlignment;
        return alignment is >= 1 and <= LargestAlignment && long.IsPow2(alignment)
            ? alignment
            : throw new GgufFormatException($"an alignment of {alignment} is no power of two up to {LargestAlignment}");
    }

    /// <summary>Vocabularies of SentencePiece leave the ids out when they are 1 and 2, llama.cpp's defaults for them.</summary>
    private static GgufHeader WithTokens(GgufHeader header, GgufTokens tokens)
    {
        bool sentencePiece = header.GetString("tokenizer.ggml.model") == "llama";
        return header with
        {
            BosToken = tokens.TextOf(header.GetInteger("tokenizer.ggml.bos_token_id") ?? (sentencePiece ? 1 : null)),
            EosToken = tokens.TextOf(header.GetInteger("tokenizer.ggml.eos_token_id") ?? (sentencePiece ? 2 : null)),
            FillInTheMiddle = FindFillInTheMiddle(header, tokens),
        };
    }

    /// <summary>The newer names of the ids, then the older ones.</summary>
    private static FillInTheMiddle? FindFillInTheMiddle(GgufHeader header, GgufTokens tokens)
    {
        FillInTheMiddle found = new(TextOf("fim_pre", "prefix"), TextOf("fim_suf", "suffix"), TextOf("fim_mid", "middle"));
        return found is { Prefix: "" } or { Suffix: "" } or { Middle: "" } ? null : found;

        string TextOf(string name, string oldName) =>
            tokens.TextOf(header.GetInteger($"tokenizer.ggml.{name}_token_id") ?? header.GetInteger($"tokenizer.ggml.{oldName}_token_id"));
    }
}
