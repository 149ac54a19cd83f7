using System.Buffers;
using System.Runtime.InteropServices;

namespace OllamaMax.Edge.Http;

/// <summary>
/// Memory of the system's, which has it back the moment this is disposed: arrays of this size would stay until a collection of the
/// oldest generation, and their memory with the process for long after. Pages that are not written to take none.
/// </summary>
/// <param name="capacity">Bytes, not initialised.</param>
internal sealed unsafe class LargeBuffer(int capacity) : MemoryManager<byte>
{
    /// <summary>From this size on the C library asks the system for each block, and gives each back; smaller ones it keeps.</summary>
    private const int Least = (32 << 20) + (64 << 10);

    private byte* _bytes = (byte*)NativeMemory.Alloc((nuint)Math.Max(capacity, Least));

    public override Span<byte> GetSpan()
    {
        ObjectDisposedException.ThrowIf(_bytes is null, this);
        return new(_bytes, capacity);
    }

    public override MemoryHandle Pin(int elementIndex = 0)
    {
        ObjectDisposedException.ThrowIf(_bytes is null, this);
        return new(_bytes + elementIndex);
    }

    public override void Unpin()
    {
        // It never moves.
    }

    protected override void Dispose(bool disposing)
    {
        NativeMemory.Free(_bytes);
        _bytes = null;
    }
}
