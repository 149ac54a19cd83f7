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
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, (ulong)time.GetUtcNow().ToUnixTimeMilliseconds() << 16);
        RandomNumberGenerator.Fill(bytes[6..]);
        UInt128 value = BinaryPrimitives.ReadUInt128BigEndian(bytes);
        return string.Create(Length, value, static (text, rest) =>
        {
            for (int i = text.Length - 1; i >= 0; i--, rest >>= 5)
                text[i] = Alphabet[(int)(rest & 31)];
        });
    }
}
