using System.Buffers.Binary;
using System.Text;

namespace OllamaMax.Models.Gguf;

/// <summary>Values of metadata as they stand in a file, their type before them.</summary>
internal static class GgufValue
{
    /// <summary>Of a type that is written here: a number, a truth, a text, or an array of numbers.</summary>
    public static byte[] Of(object value) => value switch
    {
        uint number => [.. Typed(GgufValueType.UInt32), .. BitConverter.GetBytes(number)],
        float number => [.. Typed(GgufValueType.Float32), .. BitConverter.GetBytes(number)],
        string text => [.. Typed(GgufValueType.String), .. Counted(text)],
        int[] numbers => [.. Array(GgufValueType.Int32, numbers.Length), .. numbers.SelectMany(BitConverter.GetBytes)],
        byte[] numbers => [.. Array(GgufValueType.UInt8, numbers.Length), .. numbers],
        _ => throw new ArgumentException($"metadata of {value.GetType()} is not written here", nameof(value)),
    };

    /// <summary>A text with its length before it.</summary>
    public static byte[] Counted(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        return [.. BitConverter.GetBytes((ulong)bytes.Length), .. bytes];
    }

    /// <summary>Null where it is no text.</summary>
    public static string? Text(ReadOnlyMemory<byte> value) => TypeOf(value) == GgufValueType.String ? Encoding.UTF8.GetString(value.Span[12..]) : null;

    /// <summary>Those of a number, or of an array of such; none where it is neither, or of other numbers than whole ones of 32 bits.</summary>
    public static long[] Integers(ReadOnlyMemory<byte> value)
    {
        bool isArray = TypeOf(value) == GgufValueType.Array;
        ReadOnlySpan<byte> bytes = value.Span[(isArray ? 16 : 4)..];
        GgufValueType type = isArray ? TypeOf(value[4..]) : TypeOf(value);
        if (type is not (GgufValueType.UInt32 or GgufValueType.Int32))
            return [];
        List<long> numbers = [];
        for (int at = 0; at < bytes.Length; at += 4)
            numbers.Add(type == GgufValueType.UInt32 ? BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]) : BinaryPrimitives.ReadInt32LittleEndian(bytes[at..]));
        return [.. numbers];
    }

    /// <summary>Those of an array of texts; none where it is no such.</summary>
    public static IReadOnlyList<string> Texts(ReadOnlyMemory<byte> value)
    {
        List<string> texts = [];
        if (TypeOf(value) != GgufValueType.Array || TypeOf(value[4..]) != GgufValueType.String)
            return texts;
        for (int at = 16; at < value.Length;)
        {
            int length = (int)BinaryPrimitives.ReadUInt64LittleEndian(value.Span[at..]);
            texts.Add(Encoding.UTF8.GetString(value.Span.Slice(at + 8, length)));
            at += 8 + length;
        }
        return texts;
    }

    /// <summary>An array of numbers or texts without what stands behind its first <paramref name="count"/>; anything else as it is.</summary>
    public static ReadOnlyMemory<byte> Cut(ReadOnlyMemory<byte> value, int count)
    {
        if (TypeOf(value) != GgufValueType.Array || TypeOf(value[4..]) == GgufValueType.Array || BinaryPrimitives.ReadUInt64LittleEndian(value.Span[8..]) <= (ulong)count)
            return value;
        GgufValueType type = TypeOf(value[4..]);
        int end = 16;
        for (int i = 0; i < count; i++)
            end += GgufMetadata.SmallestSize(type) + (type == GgufValueType.String ? (int)BinaryPrimitives.ReadUInt64LittleEndian(value.Span[end..]) : 0);
        return (byte[])[.. Array(type, count), .. value.Span[16..end]];
    }

    private static GgufValueType TypeOf(ReadOnlyMemory<byte> value) => (GgufValueType)BinaryPrimitives.ReadUInt32LittleEndian(value.Span);

    private static byte[] Typed(GgufValueType type) => BitConverter.GetBytes((uint)type);

    private static byte[] Array(GgufValueType type, int count) => [.. Typed(GgufValueType.Array), .. Typed(type), .. BitConverter.GetBytes((ulong)count)];
}
