using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace OllamaMax.Placement;

/// <summary>
/// Hashes that every edge computes alike, in every process and version: no <see cref="HashCode"/>, which differs with each start. Nobody is kept from finding
/// collisions; they cost a place in memory, no more.
/// </summary>
internal static class PlacementHash
{
    private const ulong Odd = 0x9E37_79B9_7F4A_7C15;

    public static ulong Of(ReadOnlySpan<char> text) => Spread(Add(0, MemoryMarshal.AsBytes(text)));

    /// <summary>A state that has read these bytes too, eight at a time: a prompt has up to megabytes.</summary>
    public static ulong Add(ulong state, ReadOnlySpan<byte> bytes)
    {
        int length = bytes.Length;
        for (; bytes.Length >= sizeof(ulong); bytes = bytes[sizeof(ulong)..])
            state = Step(state, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        ulong rest = 0;
        for (int i = 0; i < bytes.Length; i++)
            rest |= (ulong)bytes[i] << (8 * i);
        // With the length, so that what is divided differently is another text.
        return Step(Step(state, rest), (ulong)length);
    }

    /// <summary>All bits depend on all bits: the finaliser of SplitMix64 (Steele, Lea, Flood 2014).</summary>
    public static ulong Spread(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58_476D_1CE4_E5B9;
        value = (value ^ (value >> 27)) * 0x94D0_49BB_1331_11EB;
        return value ^ (value >> 31);
    }

    private static ulong Step(ulong state, ulong block) => BitOperations.RotateLeft((state ^ block) * Odd, 29);
}
