using System.Buffers.Binary;
using System.Security.Cryptography;

namespace OllamaMax.Edge.Requests;

/// <summary>Draws seeds for requests that bring none.</summary>
internal sealed class SeedSource(RandomNumberGenerator random)
{
    public ulong Draw()
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        random.GetBytes(bytes);
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }
}
