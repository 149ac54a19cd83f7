using System.Buffers.Binary;
using System.Text;

namespace OllamaMax.Models.Gguf;

/// <summary>
/// Reads a GGUF's primitives from front to back. Every length is held against the bytes that are left before anything is
/// allocated or read, so that a file which lies about itself costs no more than its own size.
/// </summary>
/// <param name="stream">Buffered: it is read in pieces of a few bytes.</param>
/// <param name="length">Bytes of the whole file; null where nobody knows them.</param>
internal sealed class GgufInput(Stream stream, long? length)
{
    /// <summary>No header that is known comes near: the largest vocabularies take some 20 MB.</summary>
    private const long LongestHeader = 512L << 20;

    public long Position { get; private set; }

    public long? Length => length;

    public byte ReadByte()
    {
        Span<byte> bytes = stackalloc byte[1];
        ReadExactly(bytes);
        return bytes[0];
    }

    public ushort ReadUInt16()
    {
        Span<byte> bytes = stackalloc byte[2];
        ReadExactly(bytes);
        return BinaryPrimitives.ReadUInt16LittleEndian(bytes);
    }

    public uint ReadUInt32()
    {
        Span<byte> bytes = stackalloc byte[4];
        ReadExactly(bytes);
        return BinaryPrimitives.ReadUInt32LittleEndian(bytes);
    }

    public ulong ReadUInt64()
    {
        Span<byte> bytes = stackalloc byte[8];
        ReadExactly(bytes);
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }

    /// <summary>A number of things that take at least <paramref name="smallest"/> bytes each.</summary>
    public long ReadCount(int smallest, string what)
    {
        ulong count = ReadUInt64();
        if (count > (ulong)(Remaining / smallest))
            throw Claims($"{count} {what}");
        return (long)count;
    }

    /// <summary>A string of at most <paramref name="longest"/> bytes; broken UTF-8 becomes replacement characters.</summary>
    public string ReadString(int longest, string what)
    {
        long size = ReadCount(1, $"bytes of {what}");
        if (size > longest)
            throw new GgufFormatException($"a {what} of {size} bytes is longer than {longest}");
        return ReadText((int)size);
    }

    public string ReadText(int size)
    {
        byte[] bytes = new byte[size];
        ReadExactly(bytes);
        return Encoding.UTF8.GetString(bytes);
    }

    public void ReadExactly(Span<byte> bytes)
    {
        if (bytes.Length > Remaining)
            throw Truncated();
        if (stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) < bytes.Length)
            throw Truncated();
        Position += bytes.Length;
    }

    public void Skip(long count)
    {
        Span<byte> scratch = stackalloc byte[4096];
        for (; count > scratch.Length; count -= scratch.Length)
            ReadExactly(scratch);
        ReadExactly(scratch[..(int)count]);
    }

    private long Remaining => Math.Min(length ?? long.MaxValue, LongestHeader) - Position;

    private GgufFormatException Claims(string what) =>
        new(length is { } size
            ? $"the header claims {what}, more than the file's {size} bytes can hold: it is damaged or was cut off"
            : $"the header claims {what}, more than any header holds: it is damaged");

    private GgufFormatException Truncated() =>
        new($"the file ends inside its header, after {Position} bytes: it was cut off");
}
