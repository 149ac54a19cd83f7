using System.Buffers;
using System.Text.Json;

namespace OllamaMax.Models.Gguf;

/// <summary>Reads a header's key-value pairs into one JSON document, in bounded memory.</summary>
/// <param name="input">Stands at the first pair.</param>
/// <param name="arrays">Takes the vocabulary's long arrays; null: they are left out as any other.</param>
internal sealed class GgufMetadata(GgufInput input, GgufVocabularyArrays? arrays = null)
{
    private const string TokensKey = "tokenizer.ggml.tokens";
    private const int MostKeys = 1 << 16;
    private const int LongestKey = ushort.MaxValue;
    private const int LongestArray = 64;
    private const int MostNesting = 4;

    /// <summary>Templates stay far below; what is longer is a whole tokenizer in one string, and is left out.</summary>
    private const int LongestString = 256 << 10;

    private const int MostBytes = 16 << 20;

    private readonly ArrayBufferWriter<byte> _json = new();

    public GgufTokens Tokens { get; } = new();

    public Dictionary<string, JsonElement> Read(long count)
    {
        if (count > MostKeys)
            throw new GgufFormatException($"{count} metadata keys are more than {MostKeys}");
        using (Utf8JsonWriter writer = new(_json))
        {
            writer.WriteStartObject();
            HashSet<string> keys = [];
            for (long i = 0; i < count; i++)
            {
                string key = input.ReadString(LongestKey, "metadata key");
                if (!keys.Add(key))
                    throw new GgufFormatException($"metadata key '{key}' stands there twice");
                ReadPair(writer, key);
                if (writer.BytesCommitted + writer.BytesPending > MostBytes)
                    throw new GgufFormatException($"the metadata without its long arrays takes more than {MostBytes} bytes");
            }
            writer.WriteEndObject();
        }
        using JsonDocument document = JsonDocument.Parse(_json.WrittenMemory);
        return document.RootElement.Clone().EnumerateObject().ToDictionary(p => p.Name, p => p.Value);
    }

    /// <summary>The text that stands behind a key, which is read up to there; null: there is none such.</summary>
    public string? FindText(long count, string wanted)
    {
        for (long i = 0; i < count; i++)
        {
            string key = input.ReadString(LongestKey, "metadata key");
            if (key != wanted)
                SkipValue(key);
            else
                return ReadType(key) == GgufValueType.String ? input.ReadString(LongestString, key) : null;
        }
        return null;
    }

    /// <summary>Passes over the value that stands behind a key.</summary>
    public void SkipValue(string key)
    {
        GgufValueType type = ReadType(key);
        if (type == GgufValueType.String)
        {
            input.Skip(input.ReadCount(1, $"bytes of '{key}'"));
        }
        else if (type == GgufValueType.Array)
        {
            GgufValueType inner = ReadType(key);
            SkipArray(key, inner, input.ReadCount(SmallestSize(inner), $"entries of '{key}'"), MostNesting);
        }
        else
        {
            input.Skip(SmallestSize(type));
        }
    }

    private void ReadPair(Utf8JsonWriter writer, string key)
    {
        GgufValueType type = ReadType(key);
        if (type == GgufValueType.String)
            ReadString(writer, key);
        else if (type == GgufValueType.Array)
            ReadArray(writer, key);
        else
        {
            writer.WritePropertyName(key);
            ReadScalar(writer, type);
        }
    }

    private GgufValueType ReadType(string key)
    {
        uint type = input.ReadUInt32();
        if (type > (uint)GgufValueType.Float64)
            throw new GgufFormatException($"metadata key '{key}' has a value of the unknown type {type}");
        return (GgufValueType)type;
    }

    private void ReadString(Utf8JsonWriter writer, string key)
    {
        long size = input.ReadCount(1, $"bytes of '{key}'");
        if (size > LongestString)
            input.Skip(size);
        else
            writer.WriteString(key, input.ReadText((int)size));
    }

    private void ReadArray(Utf8JsonWriter writer, string key)
    {
        GgufValueType type = ReadType(key);
        long count = input.ReadCount(SmallestSize(type), $"entries of '{key}'");
        if (key == TokensKey && type == GgufValueType.String)
            Tokens.Read(input, count);
        else if (arrays is not null && arrays.TryRead(input, key, type, count))
            return;
        else if (count > LongestArray || type == GgufValueType.Array)
            SkipArray(key, type, count, MostNesting);
        else
        {
            writer.WriteStartArray(key);
            for (long i = 0; i < count; i++)
                ReadScalar(writer, type);
            writer.WriteEndArray();
        }
    }

    private void SkipArray(string key, GgufValueType type, long count, int nesting)
    {
        if (nesting == 0)
            throw new GgufFormatException($"the arrays of '{key}' are nested deeper than {MostNesting}");
        if (type is not (GgufValueType.String or GgufValueType.Array))
        {
            input.Skip(count * SmallestSize(type));
            return;
        }
        for (long i = 0; i < count; i++)
        {
            if (type == GgufValueType.String)
            {
                input.Skip(input.ReadCount(1, $"bytes in '{key}'"));
                continue;
            }
            GgufValueType inner = ReadType(key);
            SkipArray(key, inner, input.ReadCount(SmallestSize(inner), $"entries in '{key}'"), nesting - 1);
        }
    }

    private void ReadScalar(Utf8JsonWriter writer, GgufValueType type)
    {
        switch (type)
        {
            case GgufValueType.UInt8: writer.WriteNumberValue(input.ReadByte()); break;
            case GgufValueType.Int8: writer.WriteNumberValue((sbyte)input.ReadByte()); break;
            case GgufValueType.UInt16: writer.WriteNumberValue(input.ReadUInt16()); break;
            case GgufValueType.Int16: writer.WriteNumberValue((short)input.ReadUInt16()); break;
            case GgufValueType.UInt32: writer.WriteNumberValue(input.ReadUInt32()); break;
            case GgufValueType.Int32: writer.WriteNumberValue((int)input.ReadUInt32()); break;
            case GgufValueType.UInt64: writer.WriteNumberValue(input.ReadUInt64()); break;
            case GgufValueType.Int64: writer.WriteNumberValue((long)input.ReadUInt64()); break;
            case GgufValueType.Bool: writer.WriteBooleanValue(input.ReadByte() != 0); break;
            case GgufValueType.Float32: WriteFloat(writer, BitConverter.UInt32BitsToSingle(input.ReadUInt32())); break;
            case GgufValueType.Float64: WriteDouble(writer, BitConverter.UInt64BitsToDouble(input.ReadUInt64())); break;
            case GgufValueType.String: writer.WriteStringValue(input.ReadString(LongestString, "string in an array")); break;
            default: throw new InvalidOperationException($"{type} is no scalar.");
        }
    }

    /// <summary>JSON has no word for NaN and the infinities: they become null.</summary>
    private static void WriteFloat(Utf8JsonWriter writer, float value)
    {
        if (float.IsFinite(value))
            writer.WriteNumberValue(value);
        else
            writer.WriteNullValue();
    }

    private static void WriteDouble(Utf8JsonWriter writer, double value)
    {
        if (double.IsFinite(value))
            writer.WriteNumberValue(value);
        else
            writer.WriteNullValue();
    }

    /// <summary>Bytes of a value; of texts and arrays at least.</summary>
    internal static int SmallestSize(GgufValueType type) => type switch
    {
        GgufValueType.UInt8 or GgufValueType.Int8 or GgufValueType.Bool => 1,
        GgufValueType.UInt16 or GgufValueType.Int16 => 2,
        GgufValueType.UInt32 or GgufValueType.Int32 or GgufValueType.Float32 => 4,
        GgufValueType.Array => 12,
        _ => 8,
    };
}
