using System.Text;

namespace OllamaMax.Inference.Native;

/// <summary>The metadata of a GGUF file (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md), as far as <see cref="GgufCheck"/> looks at it.</summary>
internal sealed class GgufHeader : IDisposable
{
    private const uint String = 8;
    private const uint Array = 9;
    private const string TokensKey = "tokenizer.ggml.tokens";
    private const string ArchitectureKey = "general.architecture";
    private const int LongestList = 1024;

    private readonly BinaryReader _reader;
    private readonly Dictionary<string, double> _numbers = [];
    private readonly Dictionary<string, long[]> _lists = [];

    private GgufHeader(Stream stream) => _reader = new BinaryReader(stream, Encoding.UTF8, leaveOpen: true);

    /// <summary>All single numbers, by key.</summary>
    public IReadOnlyDictionary<string, double> Numbers => _numbers;

    /// <summary>Short lists of integers, by key.</summary>
    public IReadOnlyDictionary<string, long[]> Lists => _lists;

    /// <summary>Such as <c>llama</c>: the begin of the keys that describe the model. Empty where the file does not say.</summary>
    public string Architecture { get; private set; } = "";

    /// <summary>Tokens of the vocabulary.</summary>
    public long Tokens { get; private set; }

    /// <summary>A token that stands in the vocabulary more than once; null when none does.</summary>
    public string? DoubleToken { get; private set; }

    public void Dispose() => _reader.Dispose();

    /// <exception cref="InvalidDataException">It is no GGUF file. The message goes on after the file's name.</exception>
    /// <exception cref="EndOfStreamException">It ends too early.</exception>
    public static GgufHeader Read(Stream stream)
    {
        GgufHeader header = new(stream);
        Span<byte> magic = stackalloc byte[4];
        if (stream.ReadAtLeast(magic, 4, throwOnEndOfStream: false) < 4 || !magic.SequenceEqual("GGUF"u8))
            throw new InvalidDataException("is not a GGUF file");
        uint version = header._reader.ReadUInt32();
        if (version is not (2 or 3))
            throw new InvalidDataException($"is GGUF version {version}; versions 2 and 3 can be read");
        _ = header._reader.ReadUInt64(); // tensors
        ulong entries = header._reader.ReadUInt64();
        for (ulong i = 0; i < entries; i++)
            header.ReadEntry();
        return header;
    }

    private void ReadEntry()
    {
        string key = ReadText();
        uint type = _reader.ReadUInt32();
        if (type == Array)
            ReadArray(key);
        else if (type == String && key == ArchitectureKey)
            Architecture = ReadText();
        else if (type == String)
            Skip(_reader.ReadUInt64());
        else
            _numbers[key] = ReadNumber(type);
    }

    private void ReadArray(string key)
    {
        uint type = _reader.ReadUInt32();
        ulong count = _reader.ReadUInt64();
        if (type is 4 or 5 && count <= LongestList)
        {
            Require(count * 4);
            _lists[key] = [.. Enumerable.Range(0, (int)count).Select(_ => (long)ReadNumber(type))];
            return;
        }
        if (type != String)
        {
            Skip(count > long.MaxValue / 8 ? ulong.MaxValue : count * (ulong)Size(type));
            return;
        }
        HashSet<string>? seen = key == TokensKey ? [] : null;
        if (seen is not null)
            Tokens = (long)Math.Min(count, int.MaxValue);
        for (ulong i = 0; i < count; i++)
        {
            if (seen is null)
                Skip(_reader.ReadUInt64());
            else if (ReadText() is { Length: > 0 } token && !seen.Add(token))
                DoubleToken = token;
        }
    }

    private string ReadText()
    {
        ulong length = _reader.ReadUInt64();
        Require(length);
        return Encoding.Latin1.GetString(_reader.ReadBytes((int)length));
    }

    private void Skip(ulong bytes)
    {
        Require(bytes);
        _reader.BaseStream.Seek((long)bytes, SeekOrigin.Current);
    }

    private void Require(ulong bytes)
    {
        if (bytes > (ulong)(_reader.BaseStream.Length - _reader.BaseStream.Position) || bytes > int.MaxValue)
            throw new EndOfStreamException();
    }

    private double ReadNumber(uint type) => type switch
    {
        0 or 7 => _reader.ReadByte(),
        1 => _reader.ReadSByte(),
        2 => _reader.ReadUInt16(),
        3 => _reader.ReadInt16(),
        4 => _reader.ReadUInt32(),
        5 => _reader.ReadInt32(),
        6 => _reader.ReadSingle(),
        10 => _reader.ReadUInt64(),
        11 => _reader.ReadInt64(),
        12 => _reader.ReadDouble(),
        _ => throw Unknown(type),
    };

    private static int Size(uint type) => type switch
    {
        0 or 1 or 7 => 1,
        2 or 3 => 2,
        4 or 5 or 6 => 4,
        10 or 11 or 12 => 8,
        _ => throw Unknown(type),
    };

    private static InvalidDataException Unknown(uint type) => new($"is damaged: metadata of type {type} does not exist");
}
