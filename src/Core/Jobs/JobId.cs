using System.Buffers.Binary;
using System.Security.Cryptography;

namespace OllamaMax.Jobs;

/// <summary>Ids of 26 lower-case characters (Crockford base 32): 48 bits of time in ms, then 80 of chance; they sort by time.</summary>
public static class JobId
{
    private const string Alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

    private const int Length = 26;

    /// <summary>Whether it has the form of an id: what clients write into paths may be anything.</summary>
    public static bool IsValid(string text) => text.Length == Length && text.All(c => Alphabet.Contains(c, StringComparison.Ordinal));

    public static string New(TimeProvider time)
    {
        Span<byte> chance = stackalloc byte[10];
        RandomNumberGenerator.Fill(chance);
        return Write(time.GetUtcNow(), chance);
    }

    /// <summary>The same id for the same time and <paramref name="chance"/>: for who must be able to make it again.</summary>
    public static string From(DateTimeOffset at, Guid chance)
    {
        Span<byte> bytes = stackalloc byte[16];
        chance.TryWriteBytes(bytes);
        return Write(at, bytes[..10]);
    }

    private static string Write(DateTimeOffset at, ReadOnlySpan<byte> chance)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, (ulong)at.ToUnixTimeMilliseconds() << 16);
        chance.CopyTo(bytes[6..]);
        UInt128 value = BinaryPrimitives.ReadUInt128BigEndian(bytes);
        return string.Create(Length, value, static (text, rest) =>
        {
            for (int i = text.Length - 1; i >= 0; i--, rest >>= 5)
                text[i] = Alphabet[(int)(rest & 31)];
        });
    }
}
