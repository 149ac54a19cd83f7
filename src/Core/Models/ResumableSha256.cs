using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace OllamaMax.Models;

/// <summary>
/// SHA-256 (FIPS 180-4) whose state can be kept, so that another process goes on with what takes too long for one. Several times slower than the platform's, whose state cannot be had: for content of which
/// that matters. Not for secrets, and not safe for concurrent use.
/// </summary>
public sealed class ResumableSha256
{
    private const int BlockSize = 64;
    private const int Words = 8;
    private const int StateSize = (Words * sizeof(uint)) + sizeof(long);

    private static readonly uint[] Constants =
    [
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
        0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
        0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
        0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
    ];

    private readonly uint[] _hash = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];

    /// <summary>What has come of a block that is not whole yet: <see cref="Length"/> says how much.</summary>
    private readonly byte[] _rest = new byte[BlockSize];

    /// <summary>Bytes that have been hashed.</summary>
    public long Length { get; private set; }

    private int RestLength => (int)(Length % BlockSize);

    public void Append(ReadOnlySpan<byte> bytes)
    {
        int rest = RestLength;
        Length += bytes.Length;
        if (rest > 0)
        {
            int missing = Math.Min(BlockSize - rest, bytes.Length);
            bytes[..missing].CopyTo(_rest.AsSpan(rest));
            bytes = bytes[missing..];
            if (rest + missing < BlockSize)
                return;
            Compress(_rest);
        }
        int whole = bytes.Length - (bytes.Length % BlockSize);
        Compress(bytes[..whole]);
        bytes[whole..].CopyTo(_rest);
    }

    /// <summary>The hash of what came so far, 32 bytes; more may come.</summary>
    public byte[] GetHash()
    {
        ResumableSha256 last = FromBytes(ToBytes());
        last.Append(Padding());
        byte[] hash = new byte[Words * sizeof(uint)];
        for (int i = 0; i < Words; i++)
            BinaryPrimitives.WriteUInt32BigEndian(hash.AsSpan(i * sizeof(uint)), last._hash[i]);
        return hash;
    }

    /// <summary>The state, at most 103 bytes: the eight words, the length in bytes, and what a block lacks, all numbers big-endian.</summary>
    public byte[] ToBytes()
    {
        byte[] state = new byte[StateSize + RestLength];
        for (int i = 0; i < Words; i++)
            BinaryPrimitives.WriteUInt32BigEndian(state.AsSpan(i * sizeof(uint)), _hash[i]);
        BinaryPrimitives.WriteInt64BigEndian(state.AsSpan(Words * sizeof(uint)), Length);
        _rest.AsSpan(0, RestLength).CopyTo(state.AsSpan(StateSize));
        return state;
    }

    /// <param name="state">Of <see cref="ToBytes"/>.</param>
    /// <exception cref="FormatException">It is none.</exception>
    public static ResumableSha256 FromBytes(ReadOnlySpan<byte> state)
    {
        ResumableSha256 hash = new();
        if (state.Length >= StateSize)
            hash.Length = BinaryPrimitives.ReadInt64BigEndian(state[(Words * sizeof(uint))..]);
        if (hash.Length < 0 || state.Length != StateSize + hash.RestLength)
            throw new FormatException("This is no state of a SHA-256.");
        for (int i = 0; i < Words; i++)
            hash._hash[i] = BinaryPrimitives.ReadUInt32BigEndian(state[(i * sizeof(uint))..]);
        state[StateSize..].CopyTo(hash._rest);
        return hash;
    }

    /// <summary>A one, zeros, and the length in bits, so that the last block is whole.</summary>
    private byte[] Padding()
    {
        int zeros = (2 * BlockSize) - 1 - sizeof(long) - RestLength;
        byte[] padding = new byte[1 + (zeros % BlockSize) + sizeof(long)];
        padding[0] = 0x80;
        BinaryPrimitives.WriteInt64BigEndian(padding.AsSpan(padding.Length - sizeof(long)), Length * 8);
        return padding;
    }

    private void Compress(ReadOnlySpan<byte> blocks)
    {
        Span<uint> w = stackalloc uint[BlockSize];
        ReadOnlySpan<uint> k = Constants.AsSpan(0, BlockSize);
        for (; blocks.Length > 0; blocks = blocks[BlockSize..])
        {
            for (int i = 0; i < 16; i++)
                w[i] = BinaryPrimitives.ReadUInt32BigEndian(blocks[(i * sizeof(uint))..]);
            for (int i = 16; i < w.Length; i++)
            {
                uint early = w[i - 15];
                uint late = w[i - 2];
                w[i] = w[i - 16] + (BitOperations.RotateRight(early, 7) ^ BitOperations.RotateRight(early, 18) ^ (early >> 3))
                    + w[i - 7] + (BitOperations.RotateRight(late, 17) ^ BitOperations.RotateRight(late, 19) ^ (late >> 10));
            }
            for (int i = 0; i < w.Length; i++)
                w[i] += k[i];
            uint a = _hash[0], b = _hash[1], c = _hash[2], d = _hash[3], e = _hash[4], f = _hash[5], g = _hash[6], h = _hash[7];
            // Eight rounds bring each word back to its place: nothing is moved, which takes half the time.
            for (int i = 0; i < w.Length; i += Words)
            {
                ReadOnlySpan<uint> add = w.Slice(i, Words);
                Round(a, b, c, ref d, e, f, g, ref h, add[0]);
                Round(h, a, b, ref c, d, e, f, ref g, add[1]);
                Round(g, h, a, ref b, c, d, e, ref f, add[2]);
                Round(f, g, h, ref a, b, c, d, ref e, add[3]);
                Round(e, f, g, ref h, a, b, c, ref d, add[4]);
                Round(d, e, f, ref g, h, a, b, ref c, add[5]);
                Round(c, d, e, ref f, g, h, a, ref b, add[6]);
                Round(b, c, d, ref e, f, g, h, ref a, add[7]);
            }
            _hash[0] += a;
            _hash[1] += b;
            _hash[2] += c;
            _hash[3] += d;
            _hash[4] += e;
            _hash[5] += f;
            _hash[6] += g;
            _hash[7] += h;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Round(uint a, uint b, uint c, ref uint d, uint e, uint f, uint g, ref uint h, uint add)
    {
        h += (BitOperations.RotateRight(e, 6) ^ BitOperations.RotateRight(e, 11) ^ BitOperations.RotateRight(e, 25)) + (g ^ (e & (f ^ g))) + add;
        d += h;
        h += (BitOperations.RotateRight(a, 2) ^ BitOperations.RotateRight(a, 13) ^ BitOperations.RotateRight(a, 22)) + ((a & b) | (c & (a | b)));
    }
}
